"""Supervision by grade (信用分类监管): plans of inspections, drawn at random by a seed that anybody can check."""
