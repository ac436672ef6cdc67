"""An NLVC file as a page that people can look at: what it costs, where, and what others would make of it."""
