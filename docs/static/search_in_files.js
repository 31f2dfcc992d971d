// The excerpts of search results are fetched, which browsers forbid from files: there the results stand without them.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
