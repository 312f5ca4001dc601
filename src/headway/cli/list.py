"""`headway list`."""

from headway.errors import UsageError, unknown

ROOMS = {
    "scores": "headway.scores:SCORES",
    "normalizers": "headway.normalizers:NORMALIZERS",
    "positions": "headway.positions:POSITIONS",
    "mixers": "headway.layers.mixers:MIXERS",
    "blocks": "headway.layers.blocks:BLOCKS",
    "engines": "headway.kernels.attention:ENGINES",
    "inputs": "headway.inputs:INPUTS",
    "tasks": "headway.tasks:TASKS",
    "decoders": "headway.decoders:DECODERS",
    "tokenizers": "headway.data.tokenizers:TOKENIZERS",
    "formats": "headway.data.readers:READERS",
    "checks": "headway.data.checks:CHECKS",
    "metrics": "headway.metrics:METRICS",
    "optimizers": "headway.training.optimizers:OPTIMIZERS",
    "baselines": "headway.lab.baselines:BASELINES",
    "demonstrations": "headway.lab.demonstrations:DEMONSTRATIONS",
    "exports": "headway.export:EXPORTS",
    "recipes": "headway.recipes",
}
"""Where the interchangeable parts are; a file in the package is an entry."""


def list_(room: str | None = None, /) -> int:
    """Show what can be chosen: the rooms, or what is in one of them, each with its settings.

    Parameters
    ----------
    room
        One of those that `headway list` shows: positions, tokenizers, metrics, recipes …
    """
    import importlib

    from rich.console import Console

    from headway.settings import meanings

    console = Console(highlight=False, soft_wrap=True)
    if room is None:
        for name, home in ROOMS.items():
            package = importlib.import_module(home.partition(":")[0])
            console.print(f"[bold]{name:14}[/] {_first_line(package.__doc__)}")
        return 0
    if room not in ROOMS:
        raise UsageError(unknown("room", room, ROOMS))
    package, _, attribute = ROOMS[room].partition(":")
    module = importlib.import_module(package)
    names = getattr(module, attribute).names() if attribute else module.names()
    for name in names:
        part = importlib.import_module(f"{package}.{name}")
        console.print(f"[bold]{name:22}[/] {_first_line(part.__doc__)}")
        settings = getattr(part, "Settings", None)
        for field in getattr(settings, "model_fields", {}):
            console.print(f"    .{field:18} {meanings(settings).get(field, '')}", markup=False)
    if room == "engines":
        from headway.cli._engines import print_abilities

        print_abilities(console)
    return 0


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
