"""FunctionLayer: a layer made of a function and its settings."""

from .module import Module


class FunctionLayer(Module):
    """Call `function(input, **settings)`; the settings are attributes and may be changed later.

    Subclasses name the `function` and pass their settings to super().__init__ by keyword; with several inputs they
    define a forward that names them.
    """

    function = None
    #: settings that repr omits
    hidden = ()

    def __init__(self, **settings):
        super().__init__()
        self._settings = tuple(settings)
        for name, value in settings.items():
            setattr(self, name, value)

    def forward(self, input):
        return self._computed(input)

    def _computed(self, *inputs):
        return type(self).function(*inputs, **{name: getattr(self, name) for name in self._settings})

    def extra_repr(self):
        shown = {name: getattr(self, name) for name in self._settings if name not in self.hidden}
        return ", ".join(f"{name}={value!r}" for name, value in shown.items() if not (name == "inplace" and not value))
