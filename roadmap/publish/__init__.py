"""From units of output to a site on disk: only what changed, all of it or nothing."""
