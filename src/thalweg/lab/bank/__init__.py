"""What has been measured before: every rule on every problem of the lab, distilled into one file, and the advice that follows."""
