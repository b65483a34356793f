"""举报 and 投诉 of the public: taken without asking who they are, handled by the clock, answered, rewarded."""
