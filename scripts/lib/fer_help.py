#!/usr/bin/env python3
"""Makes the manual page and the bash completion of the program fer from what its --help says.

    fer_help.py manual FER HELP2MAN OUTPUT
    fer_help.py completion FER OUTPUT

FER is the program as it was built. Both know the commands and options that this build has.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

COMPLETION = """\
# bash completion of fer, written by scripts/lib/fer_help.py.
_fer() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} command=${{COMP_WORDS[1]-}} words
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "{commands} --help --version" -- "$current")
    return
  fi
  case $command in
{cases}
    *) return ;;
  esac
  # Where no option begins, files are completed.
  case $current in
    -*) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
  esac
}}
complete -o default -F _fer fer
"""


def help_of(*command):
    return subprocess.run([*command, "--help"], check=True, capture_output=True, text=True).stdout


def version_of(fer):
    """The last word of what it says: gst-fer 0.2.0."""
    words = subprocess.run([fer, "--version"], check=True, capture_output=True, text=True).stdout
    return words.split()[-1]


def commands_in(text):
    """{name: what it does} of the list under "Subcommands:"."""
    section = text.partition("\nSubcommands:\n")[2].partition("\n\n")[0]
    return dict(re.findall(r"^  (\S+)\s+(.+)$", section, re.MULTILINE))


def options_in(text):
    """The long names of options, in the order in which they are told."""
    found = []
    for line in text.splitlines():
        if match := re.match(r"  (-[\w,-]+)", line):
            found += [name for name in match[1].split(",") if name.startswith("--")]
    return found


def completion(helps):
    cases = "\n".join(
        f"    {name}) words='{' '.join(options_in(text))}' ;;" for name, text in helps.items()
    )
    return COMPLETION.format(commands=" ".join(helps), cases=cases)


def manual_sections(helps, blurbs):
    """The commands with their options, as text for help2man to include."""
    lines = ["[>COMMANDS]"]
    for name, text in helps.items():
        lines += [f".SS fer {name}", roff(blurbs[name])]
        for line in text.partition("\n\n")[2].splitlines():
            if match := re.match(r"  (-\S+(?: \S+)*?)(?:\s{2,}(.*))?$", line):
                lines += [".TP", f".B {roff(match[1])}"] + ([roff(match[2])] if match[2] else [])
            elif line.startswith(" " * 20):
                lines.append(roff(line.strip()))
            elif line.strip():
                lines += [".PP", roff(line.strip())]
    return "\n".join(lines) + "\n"


def roff(text):
    """The text with nothing in it that troff takes for its own."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return r"\&" + escaped if escaped.startswith((".", "'")) else escaped


def manual(fer, help2man, output, helps, blurbs):
    with tempfile.NamedTemporaryFile("w", suffix=".h2m", encoding="utf-8") as include:
        include.write(manual_sections(helps, blurbs))
        include.flush()
        subprocess.run(
            [
                help2man,
                "--no-info",
                f"--version-string={version_of(fer)}",
                "--name=train, measure and serve models of facial expressions",
                f"--include={include.name}",
                f"--output={output}",
                fer,
            ],
            check=True,
        )


def main(kind, fer, *rest):
    blurbs = commands_in(help_of(fer))
    helps = {name: help_of(fer, name) for name in blurbs}
    if kind == "completion":
        pathlib.Path(rest[0]).write_text(completion(helps), encoding="utf-8")
    else:
        manual(fer, rest[0], rest[1], helps, blurbs)


if __name__ == "__main__":
    if sys.argv[1:2] not in (["manual"], ["completion"]) or len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
