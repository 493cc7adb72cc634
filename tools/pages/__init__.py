"""What the site has beside the pages in docs/, and what is checked of it."""
