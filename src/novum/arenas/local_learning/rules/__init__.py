"""Local learning rules over a member axis, their derivatives written by hand; needs torch."""
