"""Views: read models of a campaign, from one index over its record, for every face."""
