"""The program `animator`: its commands, and what every one of them does with errors and Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence

import typer

from .. import __version__
from ..errors import AnimatorError
from . import batch, bench, call, convert, doctor, play, plot, profiles, record, rigs, run, serve, watch

USAGE_OR_INPUT = 2
"""Exit code of everything that the user can put right."""
INTERRUPTED = 130

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
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Options before the command."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; returns its exit code: 0, 2 for what the user can put right, 130 after Ctrl-C."""
    _log_to_stderr()
    # A service manager's stop is a person's Ctrl-C: files are finished the same way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = app(args=arguments, prog_name="animator", standalone_mode=False) or 0
    except AnimatorError as error:
        print(f"animator: {error}", file=sys.stderr)
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
            print(f"animator: {error.format_message()} (animator --help tells more)", file=sys.stderr)
            return USAGE_OR_INPUT
        raise
    if code == INTERRUPTED:  # some versions of typer turn Ctrl-C into this code themselves
        print("animator: stopped", file=sys.stderr)
    return code


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("animator: %(message)s"))
    logger = logging.getLogger("animator")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
