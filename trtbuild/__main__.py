"""python -m trtbuild."""

from trtbuild.cli.app import main

main()
