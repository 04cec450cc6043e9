"""The program `animator`: its commands, and what every one of them does with errors and Ctrl-C."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Sequence

import typer

from .. import __version__, logs
from ..errors import AnimatorError
from . import batch, bench, call, convert, doctor, play, plot, profiles, record, rigs, run, serve, watch
from .stopping import stop_in_order

USAGE_OR_INPUT = 2
"""Exit code of everything that the user can put right."""
INTERRUPTED = 130
_VERBOSE = re.compile("-v+")
log = logging.getLogger("animator")

app = typer.Typer(
    name="animator",
    help="A face in a picture drives a 3D avatar. Without a command's SOURCE: the webcam, else a bundled performance.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("record")(record.record)
app.command("play")(play.play)
app.command("convert")(convert.convert)
app.command("plot")(plot.plot)
app.command("batch")(batch.batch)
app.command("serve")(serve.serve)
app.command("call")(call.call)
app.command("watch")(watch.watch)
app.add_typer(rigs.app, name="rigs")
app.add_typer(profiles.app, name="profiles")
app.command("doctor")(doctor.doctor)
app.command("bench")(bench.bench)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"animator {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    verbose: int = typer.Option(
        0, "-v", "--verbose", count=True, help="Tell more; -vv: what libraries say by themselves. Anywhere in the line."
    ),
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Options before the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0, 2 for what the user can put right, 130 after Ctrl-C."""
    if arguments is None:  # a program of its own, not called by another
        logs.keep_stderr_apart()
    arguments = _told_how_much_to_say(sys.argv[1:] if arguments is None else arguments)
    logs.set_up()
    stop_in_order()
    try:
        code = app(args=arguments, prog_name="animator", standalone_mode=False) or 0
    except AnimatorError as error:
        log.error("%s", error)
        return USAGE_OR_INPUT
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except typer.Exit as done:
        code = done.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader, `| head` say, has gone
        return 0
    except Exception as error:
        if hasattr(error, "format_message"):  # click's own: wrong usage
            log.error("%s (animator --help tells more)", error.format_message())
            return USAGE_OR_INPUT
        raise
    if code == INTERRUPTED:  # some versions of typer turn Ctrl-C into this code themselves
        log.error("stopped")
    return code


def _told_how_much_to_say(arguments: Sequence[str]) -> list[str]:
    """The arguments without -v, which may stand anywhere before `--`; how often it came is left in the environment,
    for the processes that are started, too."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept, said = [], 0
    for argument in arguments[:end]:
        if argument == "--verbose" or _VERBOSE.fullmatch(argument):
            said += 1 if argument == "--verbose" else len(argument) - 1
        else:
            kept.append(argument)
    if said:
        os.environ[logs.VERBOSE] = str(min(said, logs.EVERYTHING))
    return [*kept, *arguments[end:]]
