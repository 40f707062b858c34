"""Pages: own templates and styles inside the admin's frame, refreshed by HTMX."""
