"""What money says of a campaign: who paid to boost what, and what its profiles and posts would cost at known prices."""
