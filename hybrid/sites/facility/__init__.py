"""A computing facility that is reached over HTTP, by an interface in the manner of the IRI Facility API."""
