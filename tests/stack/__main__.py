"""Command line of the private stack: up, down, status, and start|stop|restart of one service."""
import argparse
import sys

from . import lifecycle
from .layout import ROOT


def parse():
    parser = argparse.ArgumentParser(prog="./run")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up")
    up.add_argument("--build", help="build directory (default: build)")
    up.add_argument("--set", action="append", metavar="SECTION.KEY=VALUE", help="setting in ump.conf, kept")
    up.add_argument("--servers-only", action="store_true", help="PostgreSQL, Postfix and Dovecot without our programs")
    up.set_defaults(main=lifecycle.main_up)
    down = commands.add_parser("down")
    down.set_defaults(main=lifecycle.main_down)
    status = commands.add_parser("status")
    status.set_defaults(main=lifecycle.main_status)
    for name in ("start", "stop", "restart"):
        service = commands.add_parser(name)
        service.add_argument("service", choices=(*lifecycle.PROGRAMS, *lifecycle.SERVERS))
        service.set_defaults(main=lifecycle.main_service)
    for command in commands.choices.values():
        command.add_argument("--dir", default=str(ROOT / ".run"), metavar="D", help="directory of the stack (default: .run)")
    return parser.parse_args()


def main():
    arguments = parse()
    try:
        arguments.main(arguments)
    except lifecycle.StackError as error:
        print(f"run: {error}", file=sys.stderr)
        sys.exit(1)


main()
