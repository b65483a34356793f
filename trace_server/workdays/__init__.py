"""Working days of China (工作日): which days count for a period of law, and when a period ends."""
