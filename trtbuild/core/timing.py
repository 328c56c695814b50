"""What `trtbuild bench` measures, as values: percentiles, rows, contrasts, the result."""

from typing import Literal

from trtbuild.core.accuracy import Accuracy
from trtbuild.core.digest import digest_of_tree
from trtbuild.core.layer_times import LayerProfiles
from trtbuild.core.load import LoadResult
from trtbuild.core.options import Options
from trtbuild.core.protocol import Protocol
from trtbuild.core.spread import NotRun, Shapes, Spread, TimePercentile

__all__ = [
    "BenchResult",
    "ColdStart",
    "Contrast",
    "DeviceUse",
    "Machine",
    "NotRun",
    "Shapes",
    "SpeedRow",
    "SpeedVerdict",
    "Spread",
    "StreamRate",
    "TimePercentile",
    "TimedVariant",
    "WarmUp",
]


class WarmUp(Options):
    """What came before the first counted call."""

    calls: int
    seconds: float
    stable: bool
    """Three windows in a row agreed; else the cap ended it."""


class StreamRate(Options):
    """What several callers at once come to, each with its next call as soon as one is done."""

    streams: int
    per_second: float
    """Samples (or calls, where no axis counts samples) a second, of all callers together."""
    p50_ms: float
    p99_ms: float


class DeviceUse(Options):
    """What a GPU did during counted calls, as NVML tells it."""

    energy_mj: float | None = None
    """Of the whole board, per call, in mJ."""
    power_w: float | None = None
    clock_mhz: tuple[int, int] | None = None
    """The least and the most clock of its multiprocessors that was seen."""
    temperature_c: int | None = None


class SpeedRow(Options):
    """One variant at one set of input shapes."""

    variant: str
    shapes: Shapes
    batch: int | None
    """How many samples a call takes; None where no axis counts them."""
    inputs: str
    """What it was fed: `data eval`, `seeded`."""
    host: Spread
    """By the host's clock, from the call to its end, inputs and outputs where it computes."""
    device: Spread | None = None
    """By events on the GPU's own clock around the same calls."""
    transfers: Spread | None = None
    """By the host's clock, with the copies to the GPU and back; None where there are none."""
    per_second: float
    """Samples a second of one caller, transfers left out; calls where no axis counts samples."""
    streams: tuple[StreamRate, ...] = ()
    warmup: WarmUp
    use: DeviceUse | None = None
    remarks: tuple[str, ...] = ()


class ColdStart(Options):
    """The first steps of a process that has nothing but this variant."""

    import_ms: float
    """Loading the library."""
    load_ms: float
    """Loading the model: reading, optimizing or compiling it, memory for weights."""
    first_call_ms: float
    """At the first of the shapes."""
    changed_ms: tuple[float, ...] = ()
    """The first call at each further shape."""
    host_peak_bytes: int | None = None
    """By how much the process grew, at most, over what it had with the library loaded."""
    device_peak_bytes: int | None = None
    """What the driver gave the process, at most, by NVML."""
    runtime_peak_bytes: int | None = None
    """What the library says that it took of the GPU at most, where it says so."""


class TimedVariant(Options):
    """A model or engine, and what runs it."""

    name: str
    """`int8/onnxruntime-cpu`."""
    model: str
    """Which one: `fp32`, `half`, `int8`, `source`, a target's name, a file's."""
    runner: str
    on: Literal["cpu", "gpu"]
    model_digest: str
    size_bytes: int
    """Of the model's or engine's files."""
    libraries: dict[str, str] = {}
    """What ran it, by name: versions."""
    precision: str = ""
    """What it computes in, as far as known: `INT8 in 12 of 13 layers`."""
    cold: ColdStart | None = None
    notes: tuple[str, ...] = ()


class Contrast(Options):
    """How two variants compare at the same shapes: the ratio of their times."""

    variant: str
    against: str
    shapes: Shapes
    ratio: float
    """Time of `against` over time of `variant`: above 1, `variant` is the faster one."""
    low: float
    high: float
    """Where it lies with a confidence of 99.9 %."""
    found: Literal["faster", "slower", "no difference found"]
    paired: bool
    """Block by block in one run; else of runs that were apart."""


class SpeedVerdict(Options):
    """A gate on speed, judged."""

    gate: str
    variant: str
    shapes: Shapes = {}
    passed: bool
    judged: bool = True
    found: str = ""
    """What was measured, in words."""
    remark: str = ""
    """Why it was not judged."""


class Machine(Options):
    """What it was measured on."""

    processor: str
    cores: int
    """Logical ones that the process may use."""
    affinity: str
    """Which these are: `0-3,8`."""
    memory_bytes: int
    system: str
    gpu: str = ""
    driver: str = ""
    state: dict[str, str] = {}
    """What was so while it was measured: load, clocks, temperature, power."""

    def digest(self, *, gpu: bool) -> str:
        """Return the digest of what times on it rest on: of what is on a GPU, of that too."""
        own: list[str | int] = [self.processor, self.cores, self.affinity]
        return digest_of_tree([*own, *([self.gpu, self.driver] if gpu else [])])

    def list_differences(self, other: "Machine", *, gpu: bool) -> tuple[str, ...]:
        """Say in what two machines differ that times on them rest on."""
        names = ["processor", "cores", "affinity", *(["gpu", "driver"] if gpu else [])]
        return tuple(
            f"{name}: {getattr(self, name) or 'none'} → {getattr(other, name) or 'none'}"
            for name in names
            if getattr(self, name) != getattr(other, name)
        )


class BenchResult(Options):
    """`bench.json`: what was measured, how, on what, and what was not run."""

    format: Literal[1] = 1
    name: str
    """The recipe's, or that of the first file."""
    when: str
    """The time at its end, UTC."""
    protocol: Protocol
    protocol_digest: str
    machine: Machine
    variants: tuple[TimedVariant, ...]
    rows: tuple[SpeedRow, ...]
    contrasts: tuple[Contrast, ...] = ()
    accuracy: tuple[Accuracy, ...] = ()
    """How right the models are, where they have been compared before."""
    load: LoadResult | None = None
    """How they bear requests that come at a rate, where that was asked for."""
    layers: LayerProfiles = LayerProfiles()
    """Where the time of a call goes, at the last of the shapes."""
    verdicts: tuple[SpeedVerdict, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    doubts: tuple[str, ...] = ()
    """Why the figures may not be what they would be on a quiet machine."""
    notes: tuple[str, ...] = ()

    def list_names(self) -> list[str]:
        """Return the names of all variants, those that were not run included."""
        return [*(each.name for each in self.variants), *(each.name for each in self.not_run)]

    @property
    def passed(self) -> bool:
        """Tell whether no gate that was judged failed."""
        return all(each.passed or not each.judged for each in self.verdicts)
