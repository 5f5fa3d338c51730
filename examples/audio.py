"""Sound: keywords, of which the cloud shall hear no voice.

`tones` are synthetic sounds that come with mixcon; `--data spoken_digits` are spoken ones, from
local Parquet files (`MIXCON_DATA`). The verdict on sequences rests on the cosine of a
reconstruction with the original, which no volume changes.
"""

import argparse
from pathlib import Path

from mixcon import TrainConfig, run_audit, train, write_report
from mixcon.attacks import Decoder, strongest
from mixcon.audit import subject_of
from mixcon.reports import figures_of, verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="tones")
    parser.add_argument("--out", type=Path, default=Path("runs/audio"))
    parser.add_argument("--smoke", action="store_true", help="a few steps, to see that it runs")
    options = parser.parse_args()

    subjects = []
    for name, defense in (("vanilla", "vanilla"), ("code", "code(bits=6) + unicon(on=z)")):
        epochs = 1 if options.smoke else 20
        config = TrainConfig(data=options.data, network="audio", defense=defense, epochs=epochs)
        run = options.out / name
        subjects.append(subject_of(run, train(config, run, accelerator="cpu")))
    attacks = [Decoder(steps=20)] if options.smoke else strongest("sequence")
    victims, thorough = (8, False) if options.smoke else (100, True)
    data = config.load_data()
    report, gallery = run_audit(subjects, data, attacks, victims=victims, thorough=thorough)
    print(*verdict(figures_of(report)), sep="\n")
    print(f"Report: {write_report(report, gallery, options.out / 'report')}")


if __name__ == "__main__":
    main()
