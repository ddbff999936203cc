"""Text in, text out: the scalar expression language and the rendering of kernel templates.  Independent of devices."""
