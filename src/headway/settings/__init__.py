"""Settings: typed branches that form one tree, addressed by path, each value with its origin.

A class that can be configured stands below a `Branch` that declares what it reads:

    class Settings(Branch):
        base: float = 10_000.0
        "Wavelengths run from 2π to 2π × base."

A room is a package of interchangeable parts, one file each. The file's presence is its registration, its name is the
value of the option, its `Settings` are the settings below that option. A dotted name reaches a file outside headway.

    model.encoder.position = rotary           which file of the room `headway.positions`
    model.encoder.position.base = 5000        a setting of that file

This module knows the mechanism only; it imports neither torch nor any room.
"""

from headway.settings.branch import KIND, Branch, Room, meanings
from headway.settings.reading import Assignment, assignments, changes, describe, dump, leaves
from headway.settings.resolving import load, resolve
from headway.settings.values import Count, Duration, Name, Names, Rate

__all__ = [
    "KIND",
    "Assignment",
    "Branch",
    "Count",
    "Duration",
    "Name",
    "Names",
    "Rate",
    "Room",
    "assignments",
    "changes",
    "describe",
    "dump",
    "leaves",
    "load",
    "meanings",
    "resolve",
]
