from opendata.cli import main

main(prog_name="opendata")
