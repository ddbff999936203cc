"""Placement: where to draw the vertices of a graph, in layers.  Source: Sugiyama, Tagawa and Toda 1981."""

WIDTH, HEIGHT = 200, 46
_ACROSS, _DOWN = WIDTH + 28, HEIGHT + 44
_MOST = 8  # vertices of a layer; more go into the next one
_SWEEPS = 8


def placed(keys, edges):
    """{key: (x, y) of its middle} for keys in an order that all edges (source, target) follow."""
    above, below = {k: [] for k in keys}, {k: [] for k in keys}
    for source, target in edges:
        above[target].append(source)
        below[source].append(target)
    rows = _rows(_layers(keys, above, below))
    x = {k: _ACROSS * (i - (len(row) - 1) / 2) for row in rows for i, k in enumerate(row)}
    for sweep in range(_SWEEPS):
        near, order = (above, rows) if sweep % 2 == 0 else (below, rows[::-1])
        for row in order:
            _settle(row, near, x)
    left = min(x.values(), default=0)
    return {k: (x[k] - left + _ACROSS / 2, (i + 0.5) * _DOWN) for i, row in enumerate(rows) for k in row}


def _layers(keys, above, below):
    """{key: layer}: below all that it reads, and what reads nothing just above its first reader."""
    layers, counts = {}, {}
    for k in keys:
        layer = max((layers[a] + 1 for a in above[k]), default=0)
        while above[k] and counts.get(layer, 0) >= _MOST:
            layer += 1
        layers[k] = layer
        if above[k]:
            counts[layer] = counts.get(layer, 0) + 1
    for k in keys:
        if not above[k] and below[k]:
            layers[k] = min(layers[b] for b in below[k]) - 1
    return layers


def _rows(layers):
    found = {}
    for k, layer in layers.items():
        found.setdefault(layer, []).append(k)
    return [found[layer] for layer in sorted(found)]


def _settle(row, near, x):
    """Move the vertices of a row, and change their order, towards the middle of their neighbours on one side."""
    wish = {k: sum(x[n] for n in near[k]) / len(near[k]) if near[k] else x[k] for k in row}
    row.sort(key=lambda k: (wish[k], x[k]))
    at, places = None, {}
    for k in row:
        at = places[k] = wish[k] if at is None else max(wish[k], at + _ACROSS)
    shift = sum(wish[k] - places[k] for k in row) / len(row)
    x.update((k, place + shift) for k, place in places.items())
