"""`headway config`."""

from pathlib import Path

from headway.cli._options import Json, Settings, assigned


def config(
    data: Path | None = None,
    /,
    *,
    recipe: str | None = None,
    config: Path | None = None,
    json: Json = False,
    settings: Settings = (),
) -> int:
    """Print every setting that `headway train` would use, and where each value comes from.

    With a data set: what its recipe chooses. Without: the defaults, what each setting does, and what it may be.

      headway config reviews.tsv > recipe.yaml
      headway config

    Parameters
    ----------
    data
        A data set, as for `headway train`.
    recipe
        A preset, of `headway list recipes`.
    config
        A YAML file of settings.
    """
    import json as json_

    from headway.run import Run, as_yaml
    from headway.settings import describe, dump

    if data is None and not settings and config is None and recipe is None:
        if json:
            told = [dict(zip(("path", "type", "default", "about"), item)) for item in describe(Run)]
            print(json_.dumps(told, ensure_ascii=False))
            return 0
        for path, kind, default, about in describe(Run):
            print(f"--{path}  ({kind}; {default})\n      {about}")
        return 0
    from headway.planning import plan

    made = plan(data, recipe, config, assigned(settings))
    if json:
        print(json_.dumps({"settings": dump(made.run), "origins": made.origins}, ensure_ascii=False))
        return 0
    print("".join(f"# {line}\n" for sentence in made.said for line in sentence.splitlines()), end="")
    print(as_yaml(made.run, made.origins), end="")
    return 0
