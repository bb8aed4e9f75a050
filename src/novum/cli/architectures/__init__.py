"""Commands about sequence architectures by themselves, without a campaign."""
