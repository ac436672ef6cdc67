"""Fitting a model to the video that it will code: what efforts above 3 do (docs/model.md)."""
