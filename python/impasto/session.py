# SPDX-License-Identifier: MIT
"""A network on a machine, and what can be done with it."""

from __future__ import annotations

import operator
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from . import _impasto
from .errors import DivergedError, InputError, Interrupted, UsageError

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Unpack

    from ._settings import ActivationsSettings, ScoreSettings, SessionSettings, StylizeSettings

    #: An array (height, width, 3) of uint8, or of float32 from 0 to 255; anything in host memory that speaks
    #: DLPack; a file; "sample:scene" or "sample:painting".
    Picture = Union[npt.NDArray[Any], str, os.PathLike[str], Any]
    #: An array (height, width) of bool, of uint8 from 0 to 255 or of floats from 0 to 1; or a file.
    Mask = Union[npt.NDArray[Any], str, os.PathLike[str], Any]
    #: One mask, or one for each style.
    Masks = Union[Mask, Sequence[Mask]]
    #: One style picture, several, or several with weights.
    Styles = Union[Picture, Sequence[Picture], Sequence[Tuple[Picture, float]]]


def load(path: Union[str, os.PathLike[str]], size: Optional[int] = None) -> npt.NDArray[np.uint8]:
    """Reads a picture: sRGB, (height, width, 3), its longer side scaled to `size`."""
    return _impasto.to_bytes(_impasto.load(os.fspath(path), size))


def save(picture: npt.NDArray[Any], path: Union[str, os.PathLike[str]]) -> None:
    """Writes a picture in the format of the extension: the file is complete or absent. Of float32, where the
    format can hold it, with 16 bits."""
    _impasto.save(picture, os.fspath(path), "")


@dataclass(frozen=True, eq=False)
class Result:
    """What a stylization ended with."""

    pixels: npt.NDArray[np.float32] = field(repr=False)  #: (height, width, 3), as optimised: not rounded
    iteration: int  #: whose picture this is
    losses: Mapping[str, Any] = field(repr=False)  #: of the picture, as in the log
    ending: str  #: "finished", "converged", "stopped" or "diverged"
    iterations: int  #: done
    seconds: float
    history: npt.NDArray[np.float32] = field(repr=False)  #: the loss before each step, and at the end
    recipe: Mapping[str, Any] = field(repr=False)  #: every setting

    @property
    def image(self) -> npt.NDArray[np.uint8]:
        """The picture, rounded as a file of 8 bits is."""
        return _impasto.to_bytes(self.pixels)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Writes the picture in the format of the extension: the file is complete or absent."""
        save(self.image, path)

    def _repr_png_(self) -> bytes:
        return _png(self.image)


class Session:
    """A network on a machine, opened once for any number of pictures.

    The network is loaded when it is first needed, as deep as needed. One thread uses a session at a time; others
    run while it computes.
    """

    def __init__(self, **settings: Unpack[SessionSettings]) -> None:
        self._engine = _impasto.Engine(_read("session", settings, None))

    @property
    def backend(self) -> str:
        return self._engine.backend

    @property
    def precision(self) -> str:
        return self._engine.precision

    @property
    def device(self) -> str:
        """The machine in words."""
        return self._engine.device

    def stylize(self, content: Picture, style: Styles, *, init: Optional[Picture] = None,
                progress: Optional[Callable[[_impasto.Progress], Optional[bool]]] = None,
                **settings: Unpack[StylizeSettings]) -> Result:
        """Paints `content` in the style of other pictures.

        An array keeps its size unless `size` is given; a file gets the preset's. Styles are seen with their longer
        side as long as the result's, or at `style_size`. `init` is "content", "recoloured" (the content in the style's
        colours), "style-statistics" (noise in these), "random", "mix", or a picture of the result's size. `progress` is
        called before each iteration and at the end; returning False stops.
        """
        task = _Task(self._engine, content, style, init, settings)
        done = self._engine.stylize(task.settings, task.content, task.styles, task.initial, progress)
        return _finish(done)

    def stylizer(self, content: Picture, style: Styles, *, init: Optional[Picture] = None,
                 **settings: Unpack[StylizeSettings]) -> Stylizer:
        """The same in single steps."""
        return Stylizer(self, _Task(self._engine, content, style, init, settings))

    def score(self, image: Picture, content: Picture, style: Styles,
              **settings: Unpack[ScoreSettings]) -> Mapping[str, Any]:
        """The losses of any picture, against a content of its size and styles, and under "quality" what no run
        minimises: content_cosine, held_out_gram, edge_ssim, and e_statistic, None unless the network is the VGG-19
        that it was fitted for; with masks also styles, held_out_gram and e_statistic of each style."""
        settings, masks = _with_names(settings)
        read = _read("score", settings, self._engine)
        pixels = _picture(image, "image")
        return self._engine.score(read, pixels, _picture(content, "content", pixels.shape),
                                  _styles(style, read.style_size or max(pixels.shape[:2]), masks))

    def activations(self, image: Picture, layer: str,
                    **settings: Unpack[ActivationsSettings]) -> npt.NDArray[np.float32]:
        """What a layer makes of a picture, after its ReLU: (height, width, channels). conv4_2 and relu4_2 are one."""
        return self._engine.activations(_read("activations", settings, self._engine), _picture(image, "image"), layer)


class Stylizer:
    """A stylization in single steps, to look at between them. Session.stylizer() makes one."""

    def __init__(self, session: Session, task: _Task) -> None:
        self._steps = _impasto.Steps(session._engine, task.settings, task.content, task.styles, task.initial)

    @property
    def iteration(self) -> int:
        """Steps taken."""
        return self._steps.iteration

    def step(self, count: int = 1) -> Mapping[str, Any]:
        """Takes steps. Returns the losses that the last one began with."""
        return self._steps.step(count)

    def losses(self) -> Mapping[str, Any]:
        """The losses of the picture as it is."""
        return self._steps.losses()

    def gradient(self) -> npt.NDArray[np.float32]:
        """The gradient that the last step followed: of its losses by its pixels, (height, width, 3)."""
        return self._steps.gradient()

    @property
    def pixels(self) -> npt.NDArray[np.float32]:
        """The picture as it is: (height, width, 3), not rounded. Can be set."""
        return self._steps.pixels

    @pixels.setter
    def pixels(self, pixels: npt.NDArray[Any]) -> None:
        self._steps.pixels = pixels

    @property
    def image(self) -> npt.NDArray[np.uint8]:
        """The picture as it is, rounded as a file of 8 bits is."""
        return _impasto.to_bytes(self.pixels)

    def _repr_png_(self) -> bytes:
        return _png(self.image)


def stylize(content: Picture, style: Styles, *, init: Optional[Picture] = None,
            progress: Optional[Callable[[_impasto.Progress], Optional[bool]]] = None, **settings: Any) -> Result:
    """Session(...).stylize(...) in one call, for one picture. Takes the settings of both."""
    session, others = _split(settings)
    return session.stylize(content, style, init=init, progress=progress, **others)


def score(image: Picture, content: Picture, style: Styles, **settings: Any) -> Mapping[str, Any]:
    """Session(...).score(...) in one call. Takes the settings of both."""
    session, others = _split(settings)
    return session.score(image, content, style, **others)


def activations(image: Picture, layer: str, **settings: Any) -> npt.NDArray[np.float32]:
    """Session(...).activations(...) in one call. Takes the settings of both."""
    session, others = _split(settings)
    return session.activations(image, layer, **others)


def devices() -> List[Mapping[str, Any]]:
    """The backends of this build, and whether this machine has what they need."""
    return _impasto.devices()


def settings(taker: str) -> List[Mapping[str, Any]]:
    """The settings that "session", "stylize", "score" or "activations" takes by keyword: name, type, default, help."""
    return _impasto.list_settings(taker)


class _Task:
    """The arguments of a stylization, as arrays and settings that were checked."""

    def __init__(self, engine: _impasto.Engine, content: Picture, style: Styles, init: Optional[Picture],
                 settings: Mapping[str, Any]) -> None:
        takes = {entry["name"]: entry["takes"] for entry in _impasto.list_settings("stylize")}
        words = takes["init"].removesuffix("|FILE").split("|")
        settings, masks = _with_names(settings)
        given = {**settings, "init": init} if isinstance(init, str) and init in words else settings
        self.settings = _read("stylize", given, engine)
        scale = _is_file(content) or settings.get("size") is not None
        self.content = _picture(content, "content", (self.settings.size or None) if scale else None)
        size = max(self.content.shape[:2])
        self.styles = _styles(style, self.settings.style_size or size, masks)
        self.initial = None
        if init is not None and given is settings:
            self.initial = _picture(init, "init", self.content.shape)


def _finish(done: Mapping[str, Any]) -> Result:
    """The result, or what is raised instead of it."""
    losses = done["result"] if "result" in done else {"iteration": 0, "losses": {}}
    result = Result(pixels=done["pixels"], iteration=losses["iteration"], losses=losses["losses"],
                    ending=done["ending"], iterations=done["iterations"], seconds=done["seconds"],
                    history=done["history"], recipe=done["recipe"])
    failure = done["failure"]
    if isinstance(failure, KeyboardInterrupt):
        raise Interrupted(result) from None
    if failure is not None:
        raise failure
    if result.ending == "diverged":
        raise DivergedError(f"the loss is not finite after iteration {result.iterations + 1}; a smaller learning_rate "
                            "usually helps", result)
    if done["rose"]:
        raise DivergedError(f"the loss rose from {done['first']['losses']['loss']:.4g} to {result.history[-1]:.4g}; "
                            f"the best picture is that of iteration {result.iteration}; a smaller learning_rate "
                            "usually helps", result)
    return result


def _png(picture: npt.NDArray[np.uint8]) -> bytes:
    """The picture as a notebook shows it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.png"
        save(picture, file)
        return file.read_bytes()


def _is_file(picture: Picture) -> bool:
    return isinstance(picture, (str, os.PathLike))


def _picture(picture: Picture, what: str, size: Union[None, int, Sequence[int]] = None) -> Any:
    """A picture as an array; with its longer side at `size`, or at exactly the shape `size`."""
    longer = None if size is None else size if isinstance(size, int) else max(size[:2])
    if _is_file(picture):
        array = _impasto.load(os.fspath(picture), longer)
    else:
        array = _on_the_host(picture, what)
        if longer is not None and max(array.shape[:2]) != longer:
            array = _impasto.resized(array, longer)
    if size is not None and not isinstance(size, int) and tuple(array.shape[:2]) != tuple(size[:2]):
        raise InputError(f"{what}: expected {size[1]}x{size[0]}, found {array.shape[1]}x{array.shape[0]}")
    return array


def _on_the_host(picture: Any, what: str) -> Any:
    device = getattr(picture, "__dlpack_device__", None)
    if device is None:
        raise InputError(f"{what}: expected an array, a file, or what speaks DLPack, found {type(picture).__name__}")
    if device()[0] != 1:
        raise InputError(f"{what}: expected an array in the host's memory, found one on a device; try its .cpu()")
    if len(picture.shape) != 3:
        raise InputError(f"{what}: expected an array (height, width, 3), found {tuple(picture.shape)}")
    return picture


def _with_names(settings: Mapping[str, Any]) -> Tuple[Mapping[str, Any], Mapping[str, List[Any]]]:
    """The settings with a word in place of each mask that is an array, and these arrays, or None for files."""
    named, arrays = dict(settings), {}
    for name in ("mask", "style_mask"):
        masks = settings.get(name)
        if masks is None:
            continue
        masks = list(masks) if isinstance(masks, (list, tuple)) else [masks]
        named[name] = [mask if _is_file(mask) else "an array" for mask in masks]
        arrays[name] = [None if _is_file(mask) else _mask(mask, name) for mask in masks]
    return named, arrays


def _mask(mask: Any, what: str) -> npt.NDArray[np.float32]:
    array = np.asarray(mask) if hasattr(mask, "__array__") else np.from_dlpack(mask)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"{what}: expected an array (height, width), found {array.shape}")
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array, np.float32) / 255
    if array.dtype != bool and not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"{what}: expected bool, uint8 from 0 to 255 or floats from 0 to 1, found {array.dtype}")
    array = np.ascontiguousarray(array, np.float32)
    if not (np.all(array >= 0) and np.all(array <= 1)):
        raise InputError(f"{what}: expected numbers from 0 to 1")
    return array


def _styles(style: Styles, size: int, masks: Mapping[str, List[Any]]) -> List[Tuple[Any, float, Any, Any]]:
    if not isinstance(style, (list, tuple)):
        style = [style]
    if not style:
        raise UsageError("expected at least one style picture")
    pairs = [entry if isinstance(entry, tuple) else (entry, 1.0) for entry in style]
    # The settings say how many masks there have to be.
    own, of_style = ([*masks.get(name, []), *len(pairs) * [None]] for name in ("mask", "style_mask"))
    return [(_picture(picture, "style", size), float(weight), own[i], of_style[i])
            for i, (picture, weight) in enumerate(pairs)]


def _read(taker: str, settings: Mapping[str, Any], engine: Optional[_impasto.Engine]) -> _impasto.Settings:
    many = {entry["name"] for entry in _impasto.list_settings(taker) if entry["many"]}
    given = {name: _words(value) if name in many else [_word(value)]
             for name, value in settings.items() if value is not None}
    return _impasto.read_settings(taker, given, engine)


def _words(values: Any) -> List[str]:
    """One value, or several, as the command line would have them one after the other."""
    single = isinstance(values, (str, os.PathLike)) or not isinstance(values, Iterable)
    return [_word(value) for value in ([values] if single else values)]


def _split(settings: Mapping[str, Any]) -> Tuple[Session, Mapping[str, Any]]:
    """A session with those of the settings that are its own, and the others."""
    own = {entry["name"] for entry in _impasto.list_settings("session")}
    session = Session(**{name: value for name, value in settings.items() if name in own})  # type: ignore[typeddict-item]
    return session, {name: value for name, value in settings.items() if name not in own}


def _word(value: Any) -> str:
    """A value as the command line would have it."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{_word(weight)}" for name, weight in value.items())
    if isinstance(value, Iterable):
        return ",".join(_word(entry) for entry in value)
    try:
        return str(operator.index(value))
    except TypeError:
        return repr(float(value))
