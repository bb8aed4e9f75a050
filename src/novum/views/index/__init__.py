"""One walk over the record of a campaign, from which every view is made."""
