"""Source of the documentation site: what MkDocs is told, and the pages that are made by code."""
