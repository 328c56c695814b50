"""python -m trtbuild."""

from trtbuild.cli.start import main

main()
