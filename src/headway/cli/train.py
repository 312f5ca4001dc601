"""`headway train`."""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

from cyclopts import Parameter

from headway.cli._given import Set, given
from headway.cli._display import display
