"""What the site has from the code: reference pages, and docstrings as Sphinx reads them."""
