"""How the costs of layers look in a terminal."""

from __future__ import annotations

from pathlib import Path

from trtbuild.cli.show_sensitivity import write_cost, write_sensitivity
from trtbuild.core.records import Interval, Measure
from trtbuild.core.sensitivity import LayerSensitivity, OperandUse, Sensitivity
from trtbuild.verbs.sensitivity import LayerCost, LayerReport


def sqnr(value):
    return Measure(metric="sqnr_db", output="y", value=value, unit="dB")


def layer(name, alone, *, clipped=0.0):
    operand = OperandUse(tensor="x", limit=1.0, largest=2.0, clipped=clipped, levels=128, bits=7.0)
    return LayerSensitivity(
        name=name,
        op="Conv",
        own_db=31.26,
        operands=(operand,),
        alone=(sqnr(alone),),
        others=(sqnr(22.0),),
    )


def shown(capsys, *layers, verbose=False, **more):
    found = Sensitivity(
        runner="ONNX Runtime on the CPU",
        reference="FP32 model",
        samples=8,
        of=64,
        labelled=False,
        layers=layers,
        **{"whole": (sqnr(20.0),), **more},
    )
    write_sensitivity(LayerReport(found, Path("build/s.json"), ("a note",)), verbose=verbose)
    return capsys.readouterr().out.splitlines()


def test_a_layer_is_a_line(capsys):
    """Alone, all but it, its own output, what is clipped, and the bits in use, if any."""
    lines = shown(capsys, layer("conv", 17.64, clipped=0.0123))

    assert "conv Conv 17.6 dB 22.0 dB 31.3 dB 1.23 % 7.0" == " ".join(lines[4].split())
    stored = layer("conv", 17.64).model_copy(update={"operands": ()})
    assert "conv Conv 17.6 dB 22.0 dB 31.3 dB - -" == " ".join(shown(capsys, stored)[4].split())
    assert "(all in INT8) 20.0 dB" == " ".join(lines[3].split())
    assert ["note: a note", "wrote build/s.json"] == lines[-2:]


def test_what_the_model_is_for_has_columns_in_its_own_unit(capsys):
    """Of metrics by labels, shares and others, in this order; the worst output's."""
    error = {"metric": "mae", "better": "low"}
    figures = (
        sqnr(20.0),
        Measure(output="y", value=0.25, **error),
        Measure(output="z", value=0.5, **error),
        Measure(metric="psnr_db", output="y", value=31.0, unit="dB"),
        Measure(metric="max_abs", output="y", value=3.0, better="low"),
    )
    measured = layer("conv", 17.64).model_copy(update={"alone": figures, "others": figures})
    lines = shown(capsys, measured)

    assert lines[2].endswith("bits  mae alone  mae all but it  psnr_db alone  psnr_db all but it")
    assert ["0.5", "0.5", "31.0", "dB", "31.0", "dB"] == lines[4].split()[-6:]


def test_how_sure_the_figures_are_is_said(capsys):
    """By those of all layers together: the columns have no room."""
    interval = Interval(confidence=0.95, method="bootstrap", value=(18.9, 21.0))
    whole = sqnr(20.0).model_copy(update={"intervals": (interval,)})
    lines = shown(capsys, layer("conv", 17.64), whole=(whole,))

    assert (
        "95 % intervals, all in INT8: sqnr_db 18.90 to 21.00 dB; of each layer: in s.json" in lines
    )


def test_only_the_worst_are_listed(capsys):
    """The rest is counted, and shown where asked for."""
    layers = [layer(f"n{index}", 10.0 + index) for index in range(25)]

    assert "  and 5 more that cost less (--verbose shows them)" in shown(capsys, *layers)
    assert "n24" in " ".join(shown(capsys, *layers, verbose=True))


def test_the_cost_is_said_in_passes_and_time(capsys):
    """In minutes where it is minutes; without a time where none is known."""
    write_cost(LayerCost(layers=54, samples=32, others=True, passes=3456, seconds=700.0))
    write_cost(LayerCost(layers=1, samples=1, others=False, passes=1, seconds=0.0))
    first, second = capsys.readouterr().err.splitlines()

    assert first.endswith(
        "3456 passes over half the network on average, about 12 min on this machine"
    )
    assert second.startswith("1 layer × 1 sample,")
    assert second.endswith("on average")
