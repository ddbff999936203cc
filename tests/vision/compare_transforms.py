"""Hold cltensor.vision.transforms against torchvision's, in an environment that has both (pip install torchvision pillow).

    python tests/vision/compare_transforms.py [-v]

Calls each functional form of both versions with the same arguments on Pillow images, bytes, floats, masks, boxes and keypoints,
and prints how many agree and the largest difference of each kind.  No test runs it; docs/vision-transforms.md has its figures.
"""

import itertools
import random
import sys
import warnings
from unittest import mock

import numpy as np
import PIL.Image
import torch
import torchvision.transforms as their_classes
import torchvision.transforms.functional as theirs_v1
import torchvision.transforms.v2.functional as theirs_v2
from torchvision import tv_tensors as their_types
from torchvision.transforms import InterpolationMode as TheirMode
from torchvision.transforms import v2 as their_v2_classes

import cltensor as ct
import cltensor.vision.transforms as our_classes
import cltensor.vision.transforms.functional as ours_v1
import cltensor.vision.transforms.v2.functional as ours_v2
from cltensor.vision import tv_tensors as our_types
from cltensor.vision.transforms import InterpolationMode as OurMode
from cltensor.vision.transforms import draws
from cltensor.vision.transforms import v2 as our_v2_classes

warnings.simplefilter("ignore")
RNG = np.random.default_rng(0)


def smooth(height, width, channels=3):
    """A photograph of a kind: slopes with noise, so that every operation has something to do."""
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([120 + 100 * np.sin(x / 7 + k) * np.cos(y / 9 - k) for k in range(channels)])
    return np.clip(base + RNG.normal(0, 12, base.shape), 0, 255).astype(np.uint8)


PICTURES = [smooth(37, 50), smooth(64, 48)]
GREY = smooth(33, 40, 1)
BOXES = np.asarray([[3, 4, 20, 25], [10, 2, 44, 30], [1, 1, 5, 35], [25, 20, 49, 36]])
POINTS = np.asarray([[3.0, 4.0], [20.25, 30.5], [49.0, 0.0], [12.0, 36.0]])


def case(kind, a, dtype=None, **facts):
    """(kind, theirs, ours): the same data for both."""
    return kind, a, dtype, facts


def inputs(kind):
    """[(label, theirs, ours)] of a kind of data."""
    if kind == "pil":
        found = [("RGB", p.transpose(1, 2, 0)) for p in PICTURES] + [("L", GREY[0])]
        made = [PIL.Image.fromarray(np.ascontiguousarray(a)) for _, a in found]
        return [(label, image, image) for (label, _), image in zip(found, made, strict=True)]
    if kind in ("uint8", "image"):
        arrays = [*PICTURES, GREY, np.stack([PICTURES[0]] * 2)]
    elif kind == "float":
        arrays = [(p / np.float32(255)).astype(np.float32) for p in (*PICTURES, GREY, np.stack([PICTURES[0]] * 2))]
    elif kind == "mask":
        arrays = [PICTURES[0][:1] // 50, PICTURES[1][0] // 50]
    elif kind == "video":
        arrays = [np.stack([PICTURES[0], PICTURES[0][::-1]])]
    else:
        raise ValueError(kind)
    wrap = {"image": "Image", "mask": "Mask", "video": "Video"}.get(kind)
    out = []
    for a in arrays:
        pair = torch.from_numpy(a.copy()), ct.from_numpy(a.copy())
        out.append((a.shape, *(getattr(m, wrap)(t) if wrap else t for m, t in zip((their_types, our_types), pair, strict=True))))
    return out


def boxes(format, dtype, mode="soft"):
    """Boxes for both, in a format."""
    start = their_types.BoundingBoxes(torch.as_tensor(BOXES, dtype=torch.float32), format="XYXY", canvas_size=(37, 50))
    if format.endswith("R") or len(format) == 8:
        tilted = theirs_v2.convert_bounding_box_format(start, new_format="CXCYWH")
        angles = torch.tensor([[10.0], [-30.0], [75.0], [130.0]])
        raw = torch.cat([torch.as_tensor(tilted), angles], 1)
        values = theirs_v2.convert_bounding_box_format(raw, their_types.BoundingBoxFormat.CXCYWHR,
                                                       their_types.BoundingBoxFormat[format])
    else:
        values = theirs_v2.convert_bounding_box_format(start, new_format=format)
    a = torch.as_tensor(values).numpy().astype(dtype)
    facts = {"format": format, "canvas_size": (37, 50), "clamping_mode": mode}
    return their_types.BoundingBoxes(torch.from_numpy(a.copy()), **facts), our_types.BoundingBoxes(ct.from_numpy(a.copy()), **facts)


def keypoints(dtype):
    """Points for both."""
    a = POINTS.astype(dtype)
    return (their_types.KeyPoints(torch.from_numpy(a.copy()), canvas_size=(37, 50)),
            our_types.KeyPoints(ct.from_numpy(a.copy()), canvas_size=(37, 50)))


def array(x):
    """A result of either side as an array."""
    if isinstance(x, PIL.Image.Image):
        return np.asarray(x)
    if isinstance(x, torch.Tensor):
        return torch.as_tensor(x).detach().numpy()
    return x.detach().numpy() if isinstance(x, ct.Tensor) else np.asarray(x)


class Record:
    """What was compared, and by how much it differs."""

    def __init__(self, verbose):
        self.verbose, self.rows = verbose, {}

    def compare(self, kind, name, theirs, ours):
        """Call both; count it.  Errors must come on both sides."""
        results, errors = [], []
        for call in (theirs, ours):
            try:
                results.append(call())
            except Exception as error:
                errors.append(error)
        row = self.rows.setdefault(kind, {"n": 0, "equal": 0, "close": 0, "largest": 0.0, "off": 0.0, "failed": []})
        row["n"] += 1
        if errors:
            if len(errors) == 2:
                row["equal"] += 1
            else:
                self._fail(row, kind, name, f"one side raised {errors[0]!r:.300}")
            return
        a, b = (r if isinstance(r, tuple) else (r,) for r in results)
        if len(a) != len(b):
            self._fail(row, kind, name, f"{len(a)} results and {len(b)}")
            return
        self._difference(row, kind, name, a, b)

    def _difference(self, row, kind, name, a, b):
        worst = share = 0.0
        for x, y in zip(a, b, strict=True):
            facts = [getattr(t, "canvas_size", None) for t in (x, y)]
            x, y = array(x), array(y)
            if x.shape != y.shape or x.dtype != y.dtype or facts[0] != facts[1]:
                self._fail(row, kind, name, f"{x.shape} {x.dtype} {facts[0]} against {y.shape} {y.dtype} {facts[1]}")
                return
            if x.size:
                d = np.abs(x.astype(np.float64) - y.astype(np.float64))
                if x.ndim == 2 and x.shape[-1] == 5:  # boxes with an angle
                    d[:, 4] = np.minimum(d[:, 4] % 360, 360 - d[:, 4] % 360)
                worst, share = max(worst, d.max()), max(share, (d > 0).mean())
        if worst == 0:
            row["equal"] += 1
        elif worst <= 1e-4:
            row["close"] += 1
        if worst and self.verbose:
            print(f"  {kind:10} {name:70} largest {worst:.3g} at {100 * share:.3f} % of the values")
        if worst > row["largest"]:
            row["largest"], row["worst"] = worst, name
        row["off"] = max(row["off"], share)

    def _fail(self, row, kind, name, text):
        row["failed"].append(f"{name}: {text}")

    def report(self):
        """Print the table; returns how many failed."""
        for kind, row in self.rows.items():
            print(f"{kind:22} {row['equal']:4} of {row['n']:4} equal to the bit, {row['close']:3} to 1e-4; "
                  f"largest difference {row['largest']:.3g} "
                  f"({row.get('worst', '-')}), in at most {100 * row['off']:.3f} % of a result's values")
            for line in row["failed"]:
                print("    FAILED", line)
        return sum(len(row["failed"]) for row in self.rows.values())


def mode(side, name):
    return (TheirMode if side == "theirs" else OurMode)(name)


CORNERS = [[0, 0], [49, 0], [49, 36], [0, 36]], [[4, 2], [46, 5], [43, 33], [2, 30]]
_NEAR, _LINEAR, _CUBIC = "nearest", "bilinear", "bicubic"


def geometry():
    """(name, args, kwargs) of functionals for every kind of data; a string after "mode:" is an InterpolationMode."""
    yield "horizontal_flip", (), {}
    yield "vertical_flip", (), {}
    for box in ((2, 3, 20, 25), (-4, -3, 20, 25), (20, 30, 40, 40), (50, 60, 5, 5)):
        yield "crop", box, {}
    for size in ([20, 20], [50, 60], [10, 70], 15):
        yield "center_crop", (size,), {}
    for padding, fill in itertools.product((3, [1, 2], [1, 2, 3, 4], [-2, 3, 1, -4]), (0, 7)):
        yield "pad", (padding,), {"fill": fill}
    for how, size in itertools.product((_NEAR, "nearest-exact", _LINEAR, _CUBIC), ([20, 31], [60, 90], [15], [20, 80])):
        yield "resize", (size,), {"interpolation": "mode:" + how}
    yield "resize", ([30],), {"max_size": 35}
    yield "resized_crop", (2, 3, 20, 25, [30, 30]), {}
    for how, fill in itertools.product((_NEAR, _LINEAR), (None, 100)):
        for moved in ((30, [2, -3], 1.2, [5, 0]), (-75.5, [0, 0], 0.7, [0.0, 10.0]), (0, [3, 4], 1.0, [0, 0])):
            yield "affine", moved, {"interpolation": "mode:" + how, "fill": fill}
        yield "affine", (20, [0, 0], 1.0, [0, 0]), {"interpolation": "mode:" + how, "fill": fill, "center": [5, 6]}
        for angle, expand in ((30, False), (30, True), (90, True), (180, False), (-17.3, True), (45, False)):
            yield "rotate", (angle,), {"interpolation": "mode:" + how, "expand": expand, "fill": fill}
        yield "rotate", (33,), {"interpolation": "mode:" + how, "center": [4, 9], "fill": fill}
        yield "perspective", CORNERS, {"interpolation": "mode:" + how, "fill": fill}


def pixels_only():
    """The same for what only pictures take."""
    for padding, how in itertools.product((3, [1, 2], [4, 3, 2, 1], [-2, 3, 1, -4]), ("edge", "reflect", "symmetric")):
        yield "pad", (padding,), {"padding_mode": how}
    yield "resize", ([20, 31],), {"interpolation": "mode:bilinear", "antialias": False}
    yield "resize", ([20, 31],), {"interpolation": "mode:bicubic", "antialias": False}
    yield "five_crop", ([20, 21],), {}
    yield "ten_crop", ([20, 21],), {"vertical_flip": True}
    for factor in (0.0, 0.5, 1.0, 1.7):
        for name in ("brightness", "contrast", "saturation", "sharpness"):
            yield f"adjust_{name}", (factor,), {}
    for factor in (-0.5, -0.1, 0.0, 0.25, 0.5):
        yield "adjust_hue", (factor,), {}
    for gamma, gain in ((0.5, 1.0), (2.2, 1.0), (1.0, 0.5)):
        yield "adjust_gamma", (gamma,), {"gain": gain}
    yield "invert", (), {}
    for bits in (1, 4, 8):
        yield "posterize", (bits,), {}
    yield "solarize", (0.4,), {}
    yield "autocontrast", (), {}
    yield "equalize", (), {}
    for size, sigma in (([3, 3], None), ([5, 9], [1.5, 2.0]), ([23, 23], [0.1, 2.0])):
        yield "gaussian_blur", (size, sigma), {}
    for channels in (1, 3):
        yield "rgb_to_grayscale", (channels,), {}


V1 = {"horizontal_flip": "hflip", "vertical_flip": "vflip", "elastic": "elastic_transform"}


def arguments(kwargs, side):
    return {k: mode(side, v[5:]) if isinstance(v, str) and v.startswith("mode:") else v for k, v in kwargs.items()}


def call(module, name, x, args, kwargs, side):
    return lambda: getattr(module, name)(x, *args, **arguments(kwargs, side))


def compare_all(record):
    """Every functional on every kind of data."""
    for kind in ("pil", "uint8", "float"):
        for name, args, kwargs in itertools.chain(geometry(), pixels_only()):
            if name == "solarize" and kind in ("pil", "uint8"):
                args = (100,)
            for label, theirs, ours in inputs(kind):
                text = f"{name}{args}{kwargs} {label}"
                record.compare(f"v2 {kind}", text, call(theirs_v2, name, theirs, args, kwargs, "theirs"),
                               call(ours_v2, name, ours, args, kwargs, "ours"))
                old = V1.get(name, name)
                record.compare(f"v1 {kind}", text, call(theirs_v1, old, theirs, args, kwargs, "theirs"),
                               call(ours_v1, old, ours, args, kwargs, "ours"))
    for kind in ("image", "video", "mask"):
        for name, args, kwargs in geometry():
            for label, theirs, ours in inputs(kind):
                record.compare(f"v2 {kind}", f"{name}{args}{kwargs} {label}",
                               call(theirs_v2, name, theirs, args, kwargs, "theirs"),
                               call(ours_v2, name, ours, args, kwargs, "ours"))
    for name, args, kwargs in geometry():
        for dtype in ("int64", "float32"):
            theirs, ours = keypoints(dtype)
            record.compare(f"keypoints {dtype}", f"{name}{args}{kwargs}", call(theirs_v2, name, theirs, args, kwargs, "theirs"),
                           call(ours_v2, name, ours, args, kwargs, "ours"))
        for format, dtype, clamping in itertools.product(("XYXY", "XYWH", "CXCYWH", "XYWHR", "CXCYWHR", "XYXYXYXY"),
                                                         ("int64", "float32"), ("soft", "hard", None)):
            turned = format.endswith("R") or len(format) == 8
            if turned and dtype == "int64":
                continue
            theirs, ours = boxes(format, dtype, clamping)
            record.compare(f"boxes {'turned' if turned else 'upright'} {dtype}", f"{name}{args}{kwargs} {format} {clamping}",
                           call(theirs_v2, name, theirs, args, kwargs, "theirs"), call(ours_v2, name, ours, args, kwargs, "ours"))


def compare_warps(record):
    """Displacements, dtypes, conversions and what else takes arguments of its own."""
    for kind in ("pil", "uint8", "float", "mask"):
        for how, fill in itertools.product((_NEAR, _LINEAR), (None, 50)):
            for label, theirs, ours in inputs(kind):
                size = theirs.size[::-1] if kind == "pil" else theirs.shape[-2:]
                d = (RNG.normal(0, 0.05, (1, *size, 2))).astype(np.float32)
                kwargs = {"interpolation": "mode:" + how, "fill": fill}
                record.compare(f"v2 {kind}", f"elastic{kwargs} {label}",
                               call(theirs_v2, "elastic", theirs, (torch.from_numpy(d),), kwargs, "theirs"),
                               call(ours_v2, "elastic", ours, (ct.from_numpy(d),), kwargs, "ours"))
    d = RNG.normal(0, 0.05, (1, 37, 50, 2)).astype(np.float32)
    for format, clamping in itertools.product(("XYXY", "XYWH", "CXCYWH", "XYWHR", "CXCYWHR", "XYXYXYXY"), ("soft", "hard", None)):
        theirs, ours = boxes(format, "float32", clamping)
        turned = "turned" if format.endswith("R") or len(format) == 8 else "upright"
        record.compare(f"boxes {turned} float32", f"elastic {format} {clamping}",
                       call(theirs_v2, "elastic", theirs, (torch.from_numpy(d),), {}, "theirs"),
                       call(ours_v2, "elastic", ours, (ct.from_numpy(d),), {}, "ours"))
    for dtype in ("int64", "float32"):
        theirs, ours = keypoints(dtype)
        record.compare(f"keypoints {dtype}", "elastic", call(theirs_v2, "elastic", theirs, (torch.from_numpy(d),), {}, "theirs"),
                       call(ours_v2, "elastic", ours, (ct.from_numpy(d),), {}, "ours"))
    compare_dtypes(record)
    compare_conversions(record)
    compare_formats(record)


def compare_dtypes(record):
    names = ("uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
    for a, b, scale in itertools.product(names, names, (True, False)):
        x = PICTURES[0] / 255 if a.startswith("float") else PICTURES[0].astype(np.int64) // (3 if a == "int8" else 1)
        x = x.astype(a)
        record.compare("dtypes", f"to_dtype {a} {b} {scale}",
                       lambda x=x, b=b, s=scale: theirs_v2.to_dtype(torch.from_numpy(x), getattr(torch, b), scale=s),
                       lambda x=x, b=b, s=scale: ours_v2.to_dtype(ct.from_numpy(x), getattr(ct, b), scale=s))


def compare_conversions(record):
    for m in ("1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F"):
        image = inputs("pil")[0][1].convert("L").convert(m)
        for name in ("to_tensor", "pil_to_tensor"):
            record.compare("conversions", f"{name} {m}", lambda n=name, i=image: getattr(theirs_v1, n)(i),
                           lambda n=name, i=image: getattr(ours_v1, n)(i))
    for a in (PICTURES[0].transpose(1, 2, 0), GREY[0], GREY[0].astype(np.float32), GREY[0].astype(np.int32)):
        record.compare("conversions", f"to_tensor {a.dtype} {a.shape}", lambda a=a: theirs_v1.to_tensor(a),
                       lambda a=a: ours_v1.to_tensor(a))
        record.compare("conversions", f"to_image {a.shape}", lambda a=a: theirs_v2.to_image(a), lambda a=a: ours_v2.to_image(a))
        record.compare("conversions", f"to_pil {a.shape}", lambda a=a: theirs_v1.to_pil_image(a),
                       lambda a=a: ours_v1.to_pil_image(a))
    for kind in ("uint8", "float"):
        for label, theirs, ours in inputs(kind):
            record.compare("conversions", f"to_pil_image {label}", lambda t=theirs: theirs_v1.to_pil_image(t),
                           lambda o=ours: ours_v1.to_pil_image(o))
            record.compare("conversions", f"jpeg {label}", lambda t=theirs: theirs_v2.jpeg(t, 40),
                           lambda o=ours: ours_v2.jpeg(o, 40))
            record.compare("conversions", f"normalize {label}",
                           lambda t=theirs: theirs_v2.normalize(t, [0.4, 0.5, 0.6][:t.shape[-3]], [0.2, 0.3, 0.4][:t.shape[-3]]),
                           lambda o=ours: ours_v2.normalize(o, [0.4, 0.5, 0.6][:o.shape[-3]], [0.2, 0.3, 0.4][:o.shape[-3]]))
            record.compare("conversions", f"permute {label}", lambda t=theirs: theirs_v2.permute_channels(t, [2, 0, 1]),
                           lambda o=ours: ours_v2.permute_channels(o, [2, 0, 1]))
            record.compare("conversions", f"lanczos {label}",
                           lambda t=theirs: theirs_v2.resize(t, [20, 70], interpolation=TheirMode.LANCZOS),
                           lambda o=ours: ours_v2.resize(o, [20, 70], interpolation=OurMode.LANCZOS))
    image = inputs("pil")[0][1]
    record.compare("conversions", "jpeg pil", lambda: theirs_v2.jpeg(image, 40), lambda: ours_v2.jpeg(image, 40))
    v = np.arange(20 * 4)
    record.compare("conversions", "subsample",
                   lambda: theirs_v2.uniform_temporal_subsample(torch.from_numpy(v).reshape(20, 1, 2, 2), 7),
                   lambda: ours_v2.uniform_temporal_subsample(ct.from_numpy(v).reshape(20, 1, 2, 2), 7))


def compare_formats(record):
    upright, turned = ("XYXY", "XYWH", "CXCYWH"), ("XYWHR", "CXCYWHR", "XYXYXYXY")
    for a, b in [*itertools.product(upright, upright), *itertools.product(turned, turned), ("XYXY", "XYWHR")]:
        for dtype in ("float32", "int64") if a in upright else ("float32",):
            theirs, ours = boxes(a, dtype)
            record.compare("formats", f"convert {a} {b} {dtype}",
                           lambda t=theirs, b=b: theirs_v2.convert_bounding_box_format(t, new_format=b),
                           lambda o=ours, b=b: ours_v2.convert_bounding_box_format(o, new_format=b))
    for format, clamping in itertools.product((*upright, *turned), ("soft", "hard", None)):
        k = {"XYXYXYXY": 8, "XYWHR": 5, "CXCYWHR": 5}.get(format, 4)
        raw = RNG.uniform(-30, 70, (200, 5)).astype(np.float32)
        raw[:, 2:4] = RNG.uniform(1, 40, (200, 2))
        raw[:, 4] = RNG.uniform(-180, 180, 200)
        if k == 8:
            raw = theirs_v2.convert_bounding_box_format(torch.from_numpy(raw), their_types.BoundingBoxFormat.CXCYWHR,
                                                        their_types.BoundingBoxFormat.XYXYXYXY).numpy()
        facts = {"format": format, "canvas_size": (37, 50), "clamping_mode": clamping}
        theirs = their_types.BoundingBoxes(torch.from_numpy(raw[:, :k].copy()), **facts)
        ours = our_types.BoundingBoxes(ct.from_numpy(raw[:, :k].copy()), **facts)
        record.compare("clamping", f"clamp {format} {clamping}", lambda t=theirs: theirs_v2.clamp_bounding_boxes(t),
                       lambda o=ours: ours_v2.clamp_bounding_boxes(o))
        record.compare("formats", f"sanitize {format}",
                       lambda t=theirs: theirs_v2.sanitize_bounding_boxes(t, min_size=3, min_area=30),
                       lambda o=ours: ours_v2.sanitize_bounding_boxes(o, min_size=3, min_area=30))


def torch_draws():
    """cltensor's draws replaced by torch's, kind by kind, so that both sides draw the same parameters."""
    return mock.patch.multiple(
        draws, unit=lambda: torch.rand(1).item(), uniform=lambda a, b: torch.empty(1).uniform_(float(a), float(b)).item(),
        integer=lambda a, b: torch.randint(a, b, (1,)).item(), permutation=lambda n: torch.randperm(n).tolist(),
        weighted=lambda w: torch.multinomial(torch.tensor(w), 1).item(), below=lambda p: torch.rand(1).item() < p,
        dirichlet=lambda a: torch._sample_dirichlet(torch.tensor([[float(v) for v in a]]))[0].tolist(),
        field=lambda h, w: torch.rand(1, 1, h, w).numpy()[0, 0])


CLASSES = """Resize(20) Resize((20,31),interpolation=Mode.BICUBIC) CenterCrop(24) Pad((1,2),fill=3) RandomCrop(20)
    RandomCrop((20,45),padding=3) RandomCrop((60,60),pad_if_needed=True,fill=9) RandomHorizontalFlip() RandomVerticalFlip()
    RandomResizedCrop(16) RandomResizedCrop((10,20),scale=(.9,1.),ratio=(3.,4.)) ColorJitter(.3,.3,.3,.2) ColorJitter(hue=.5)
    RandomRotation(40) RandomRotation((-90,90),expand=True,fill=7,interpolation=Mode.BILINEAR)
    RandomAffine(30,(.1,.2),(.8,1.2),(3,4,5,6)) RandomAffine((10,20),shear=8,fill=5,interpolation=Mode.BILINEAR,center=(3,4))
    RandomPerspective(p=1.) RandomPerspective(.3,p=.5,fill=4) GaussianBlur(5) GaussianBlur((3,7),sigma=(.5,.6))
    RandomGrayscale(.5) Grayscale(3) RandomInvert() RandomAutocontrast() RandomEqualize() RandomPosterize(3) RandomSolarize(.5)
    RandomAdjustSharpness(2.) ElasticTransform(20.,2.) AutoAugment() AutoAugment(Policy.CIFAR10,fill=[3.,4.,5.])
    AutoAugment(Policy.SVHN) RandAugment() RandAugment(3,15,fill=[1.,2.,3.]) TrivialAugmentWide() AugMix()
    AugMix(5,2,2,all_ops=False) FiveCrop(20) TenCrop((20,21))""".split()
TENSOR_CLASSES = """RandomErasing(1.) RandomErasing(.5,value=[.1,.2,.3]) Normalize([.4,.5,.6],[.2,.3,.4])""".split()
V2_CLASSES = """ScaleJitter((30,40)) RandomShortestSize([10,20,30],max_size=35) RandomResize(10,30) RandomZoomOut(p=1.,fill=4)
    RandomPhotometricDistort() RandomPhotometricDistort(p=1.) RandomChannelPermutation() JPEG((10,60)) RGB() Identity()
    RandomApply([M.RandomCrop(20),M.RandomInvert()],p=.5) RandomChoice([M.Resize(10),M.Pad(3)],p=[.3,.7])
    RandomOrder([M.Pad(2),M.Resize(20),M.RandomCrop(15)]) Compose([M.RandomHorizontalFlip(),M.Resize(20)])""".split()
SAMPLE_CLASSES = """Resize(20) CenterCrop(24) Pad((1,2),fill=3) RandomCrop((20,45),padding=3) RandomHorizontalFlip()
    RandomVerticalFlip() RandomResizedCrop(16) RandomRotation(40) RandomRotation((-90,90),expand=True)
    RandomAffine(30,(.1,.2),(.8,1.2),(3,4,5,6)) RandomPerspective(p=1.) ElasticTransform(20.,2.) RandomIoUCrop()
    RandomIoUCrop(sampler_options=[.1,.3]) ScaleJitter((30,40)) RandomShortestSize([10,20,30],max_size=35) RandomZoomOut(p=1.)
    SanitizeBoundingBoxes(labels_getter=None) SanitizeBoundingBoxes(min_size=10,min_area=200) SanitizeKeyPoints()
    ClampBoundingBoxes() ClampKeyPoints() ConvertBoundingBoxFormat("CXCYWH") SetClampingMode(None) ToPureTensor()""".split()


def made(text, side, module):
    """The transform that a text describes."""
    names = {"theirs": (TheirMode, their_classes.AutoAugmentPolicy), "ours": (OurMode, our_classes.AutoAugmentPolicy)}[side]
    return eval("M." + text, {"M": module, "Mode": names[0], "Policy": names[1]})


def seeded(transform, sample, seed):
    """A call of a transform from a seed."""
    def run():
        torch.manual_seed(seed)
        random.seed(seed)
        with torch_draws():
            out = transform(sample)
        flat = []
        for x in (out.values() if isinstance(out, dict) else out if isinstance(out, (tuple, list)) else (out,)):
            flat.extend(x if isinstance(x, (tuple, list)) else (x,))
        return tuple(flat)
    return run


def compare_classes(record):
    """Every class, with the same parameters drawn."""
    for version, theirs, ours in (("v1", their_classes, our_classes), ("v2", their_v2_classes, our_v2_classes)):
        for kind in ("pil", "uint8", "float"):
            texts = CLASSES + (TENSOR_CLASSES if kind != "pil" else []) + (V2_CLASSES if version == "v2" else [])
            for text, seed in itertools.product(texts, range(6)):
                if kind != "float" and text.startswith("RandomSolarize"):
                    text = "RandomSolarize(100)"
                if kind == "float" and version == "v1" and any(n in text for n in ("Posterize", "Equalize", "Augment", "AugMix")):
                    continue
                if kind != "float" and text.startswith("Normalize"):
                    continue
                label, theirs_x, ours_x = inputs(kind)[seed % 2]
                record.compare(f"{version} classes {kind}", f"{text} {seed} {label}",
                               seeded(made(text, "theirs", theirs), theirs_x, seed), seeded(made(text, "ours", ours), ours_x, seed))
    for text, seed in itertools.product(SAMPLE_CLASSES, range(6)):
        record.compare("v2 samples", f"{text} {seed}", seeded(made(text, "theirs", their_v2_classes), sample("theirs"), seed),
                       seeded(made(text, "ours", our_v2_classes), sample("ours"), seed))
    compare_mixing(record)


def sample(side):
    """A picture with all that belongs to it."""
    types, tensor = (their_types, torch.from_numpy) if side == "theirs" else (our_types, ct.from_numpy)
    return {"image": types.Image(tensor(PICTURES[0].copy())), "mask": types.Mask(tensor(np.stack([PICTURES[0][0] // 90] * 4))),
            "boxes": types.BoundingBoxes(tensor(BOXES.astype(np.float32)), format="XYXY", canvas_size=(37, 50)),
            "labels": tensor(np.arange(4)), "points": types.KeyPoints(tensor(POINTS.astype(np.float32)), canvas_size=(37, 50)),
            "more": 3}


def compare_mixing(record):
    batch, labels = RNG.random((6, 3, 12, 14)).astype(np.float32), np.asarray([0, 2, 1, 3, 3, 0])
    texts = "MixUp(num_classes=4)", "CutMix(num_classes=4)", "CutMix(alpha=.3,num_classes=4)"
    for text, seed in itertools.product(texts, range(6)):
        record.compare("v2 mixing", f"{text} {seed}",
                       seeded(made(text, "theirs", their_v2_classes), (torch.from_numpy(batch), torch.from_numpy(labels)), seed),
                       seeded(made(text, "ours", our_v2_classes), (ct.from_numpy(batch), ct.from_numpy(labels)), seed))


def main():
    """Compare; returns the exit status."""
    record = Record("-v" in sys.argv)
    if "--classes" not in sys.argv:
        compare_all(record)
        compare_warps(record)
    compare_classes(record)
    return 1 if record.report() else 0


if __name__ == "__main__":
    sys.exit(main())
