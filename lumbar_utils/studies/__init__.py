"""Studies that train and measure, and store what they found under results/."""
