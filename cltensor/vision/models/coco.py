"""What weights trained on COCO have in common, and how functions that make networks with a backbone settle what to load."""

from __future__ import annotations

import functools
from typing import Any

from ...base.errors import ArgumentError
from ...nn import Module
from ._api import Weights, WeightsEnum

_ADDRESS = "https://download.pytorch.org/models/"
#: COCO's classes by number; "N/A" stands where the published list has a gap
COCO = """__background__,person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,N/A,stop sign,
parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,N/A,backpack,umbrella,N/A,N/A,handbag,tie,suitcase,
frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,N/A,wine glass,cup,
fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,N/A,
dining table,N/A,N/A,toilet,N/A,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,N/A,book,clock,
vase,scissors,teddy bear,hair drier,toothbrush""".replace("\n", "").split(",")
PERSON = ["no person", "person"]
KEYPOINTS = ["nose", *(f"{side}_{part}" for part in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
                       for side in ("left", "right"))]
#: the classes of Pascal VOC, which segmentation is trained for
VOC = """__background__,aeroplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,diningtable,dog,horse,motorbike,person,pottedplant,
sheep,sofa,train,tvmonitor""".replace("\n", "").split(",")


def _object_detection():
    """The preset for detection, imported when it is asked for."""
    from ..transforms._presets import ObjectDetection

    return ObjectDetection()


def _semantic_segmentation(resize_size):
    """The preset for segmentation, imported when it is asked for."""
    from ..transforms._presets import SemanticSegmentation

    return SemanticSegmentation(resize_size=resize_size)


def _meta(num_params, gigaops, megabytes, categories, data, metrics, **more):
    return {"num_params": num_params, "min_size": (1, 1), "categories": categories, "_metrics": {data: metrics}, "_ops": gigaops,
            "_file_size": megabytes, **more}


def detection(file: str, num_params: int, gigaops: float, megabytes: float, box_map: float, *, categories: list[str] = COCO,
              masks: float | None = None, keypoints: float | None = None) -> Weights:
    """Weights of a detector: mean average precisions in percent, size in MiB."""
    metrics = {"box_map": box_map, **({} if masks is None else {"mask_map": masks}),
               **({} if keypoints is None else {"kp_map": keypoints})}
    more = {} if keypoints is None else {"keypoint_names": KEYPOINTS}
    return Weights(_ADDRESS + file, _object_detection, _meta(num_params, gigaops, megabytes, categories, "COCO-val2017", metrics,
                                                             **more))


def segmentation(file: str, num_params: int, gigaops: float, megabytes: float, miou: float, pixel_acc: float) -> Weights:
    """Weights of a segmentation network, trained on the images of COCO that show VOC's classes."""
    metrics = {"miou": miou, "pixel_acc": pixel_acc}
    return Weights(_ADDRESS + file, functools.partial(_semantic_segmentation, resize_size=520),
                   _meta(num_params, gigaops, megabytes, VOC, "COCO-val2017-VOC-labels", metrics))


def agreed(name: str, given: Any, needed: Any) -> Any:
    """needed, where None or the same was given.  Raises ArgumentError for another value."""
    if given is not None and given != needed:
        raise ArgumentError(f"{name}={given!r} does not fit the weights, which need {name}={needed!r}; leave one of the two out")
    return needed


def settled(weights_class: type[WeightsEnum], weights: Any, backbone_class: type[WeightsEnum], weights_backbone: Any,
            num_classes: int | None, otherwise: int) -> tuple[Any, Any, int]:
    """(weights, weights of the backbone, number of classes): weights of the whole leave those of the backbone out."""
    weights = weights_class.verify(weights)
    if weights is None:
        return None, backbone_class.verify(weights_backbone), otherwise if num_classes is None else num_classes
    return weights, None, agreed("num_classes", num_classes, len(weights.meta["categories"]))


def loaded(model: Module, weights: WeightsEnum | None, progress: bool) -> Module:
    """model with the tensors of weights, if there are any."""
    if weights is not None:
        model.load_state_dict(weights.get_state_dict(progress=progress, check_hash=True))
    return model


def documented(weights_class: type[WeightsEnum], source: str, result: str):
    """Complete the docstring of a function that makes a model: what it takes and gives, and where it comes from."""

    def complete(fn):
        facts = weights_class.DEFAULT.meta
        fn.__doc__ = f"""{fn.__doc__.strip()}

    {facts["num_params"]} parameters where the number of classes is {len(facts["categories"])}.  {result}  Floating dtypes.
    weights: a member of {weights_class.__name__}, its name, or None; weights_backbone: the same of the backbone, taken where
    weights is None.  They are downloaded once, with a progress bar if `progress`.  Raises ArgumentTypeError for weights of another
    model, ArgumentError where num_classes is not that of the weights.
    Source: {source}.

        >>> from cltensor.vision import models
        >>> models.get_model_weights("{fn.__name__}").DEFAULT
        {weights_class.DEFAULT!r}
    """
        return fn

    return complete
