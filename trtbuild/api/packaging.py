"""What was built, packed for those who run it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.executors import using_executor
from trtbuild.api.recipes import name_variants
from trtbuild.core.errors import UsageError
from trtbuild.store.store import Store, find_default_root

if TYPE_CHECKING:
    from trtbuild.core.records import Record
    from trtbuild.model.outline import ModelOutline
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.run.executor import Executor
    from trtbuild.verbs.packaging.package import Packed
    from trtbuild.verbs.packaging.signing import Signer

__all__ = ["package_bundle", "package_triton"]


def package_triton(  # noqa: PLR0913  # all that a user may ask for
    paths: Sequence[Path | str],
    to: Path | str,
    *,
    build_dir: Path | str = "build",
    targets: Sequence[str] = (),
    refitted: Path | str | None = None,
    version: int = 1,
    engines: bool = True,
    release: str = "",
    tensorrt: str = "",
    picture: tuple[int, int] | None = None,
    executor: Executor | str = "local",
) -> Packed:
    """Write a Triton model repository of what was built of recipes.

    Args:
        paths: the recipes.
        to: the repository; other models and versions in it stay.
        build_dir: where they were built.
        targets: the targets whose engines go in; all by default.
        refitted: of one recipe, where `refit` has left what is packed in the place of its build.
        version: of the models.
        engines: whether engines go in, beside the ONNX model.
        release: the Triton that will serve (`26.07`); by default any known to run the engines.
        tensorrt: the version of its TensorRT, in the place of `release`.
        picture: [height, width] of pictures that the ensemble resizes itself.
        executor: where a calibration sample is decoded, to warm up with.

    Raises:
        MissingFile: a recipe is not built.
        UsageError: an engine does not run in that Triton, or in any that is known.
        RecipeError: a recipe is wrong.
        NotWritable: the repository cannot be written.
    """
    from trtbuild.recipe.load import load_recipe
    from trtbuild.recipe.variants import expand_variants
    from trtbuild.verbs.packaging.package import BuildPlace, package_for_triton
    from trtbuild.verbs.packaging.triton import Server

    recipes = [load_recipe(path) for path in expand_variants([Path(each) for each in paths])]
    with using_executor(executor, jobs=1) as here:
        store, refit = Store(find_default_root()), _demand_one(recipes, refitted)
        place = BuildPlace(Path(build_dir), tuple(targets), store, here, refit)
        server = Server(release, tensorrt)
        return package_for_triton(
            recipes, place, Path(to), server, version=version, engines=engines, picture=picture
        )


def package_bundle(  # noqa: PLR0913  # all that a user may ask for
    path: Path | str,
    to: Path | str,
    *,
    variants: Sequence[str] = (),
    build_dir: Path | str = "build",
    targets: Sequence[str] = (),
    refitted: Path | str | None = None,
    signer: Signer | None = None,
    key: Path | str = "",
    executor: Executor | str = "local",
) -> Packed:
    """Write a bundle of what was built of a recipe: a folder, or an archive (`to` ends in .zip).

    Of a recipe with variants it is a folder with a bundle of each, or of those `variants` that are
    named; one variant, named so or as `NAME.VARIANT.yaml`, is a bundle as any. `refitted` is where
    `refit` has left what is packed in the place of the build. A bundle holds the engines and the
    model, an index, a program that runs them, the recipe and its lock, a model
    card, and where all of it comes from. Packed twice, it is the same bytes. A `signer` (`cosign`,
    `model-signing`) that is installed signs it with a private `key`.

    Raises:
        MissingFile: the recipe is not built.
        UsageError: there is something else at `to`, or it is an archive for several.
        RecipeError: the recipe is wrong.
        NotWritable: the bundle cannot be written.
        MissingDependency, StepInputError: the signer is not installed, or refuses.
    """
    from trtbuild.recipe.load import load_recipe
    from trtbuild.recipe.variants import expand_variants
    from trtbuild.verbs.packaging.package import BuildPlace, package_in_bundles
    from trtbuild.verbs.packaging.signing import demand_signer, sign_bundle

    if signer is not None:
        demand_signer(signer, Path(key))
    paths = expand_variants(name_variants([Path(path)], variants))
    recipes = [load_recipe(each) for each in paths]
    with using_executor(executor, jobs=1) as here:
        store, refit = Store(find_default_root()), _demand_one(recipes, refitted)
        place = BuildPlace(Path(build_dir), tuple(targets), store, here, refit)
        packed = package_in_bundles(recipes, place, Path(to), render=_render_card)
    if signer is None:
        return packed
    names = [each.recipe.name for each in recipes]
    written = [Path(to)] if len(names) == 1 else [Path(to) / name for name in names]
    signatures = [sign_bundle(each, signer, Path(key)) for each in written]
    signed = (f"signed by {signer}: {signature}" for signature in signatures)
    return replace(packed, said=(*packed.said, *signed))


def _demand_one(recipes: Sequence[LoadedRecipe], refitted: Path | str | None) -> Path | None:
    """Return the folder of a refit, which is of one recipe."""
    if refitted is None:
        return None
    if len(recipes) > 1:
        told = f"{refitted}: is of one recipe, and there are {len(recipes)}"
        raise UsageError(told, hint="pack that one by itself")
    return Path(refitted)


def _render_card(record: Record, outline: ModelOutline) -> Mapping[str, str]:
    from trtbuild.report.html import render_page
    from trtbuild.report.markdown import render_markdown_page
    from trtbuild.report.model_card import make_card_page

    page = make_card_page(record, inputs=outline.inputs, outputs=outline.outputs)
    return {"model_card.md": render_markdown_page(page), "model_card.html": render_page(page)}
