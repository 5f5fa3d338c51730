"""Hand-made records, whose summary can be worked out on paper."""

from statistics import fmean

from mixcon.audit import (
    AttackRecord,
    Effort,
    Environment,
    GuessRecord,
    ModelRecord,
    Report,
    SeparabilityRecord,
)


def separability(mean):
    return SeparabilityRecord(minimum=0.1, maximum=1.5, mean=mean, normalized=True, count=100)


def model(name, accuracy, **leakage):
    """A model with one attack a keyword, SSIM of each image; label-only floor 0.2."""
    count = len(next(iter(leakage.values()), [0]))
    return ModelRecord(
        name=name,
        data="digits",
        network="lenet5",
        cut="pool2",
        accuracy=accuracy,
        test_images=100,
        numbers_sent=1600,
        before=separability(0.9),
        after=separability(0.5),
        floors={"class-mean": {"ssim": [0.2] * count}},
        attacks=[
            AttackRecord(
                attack=attack.replace("_", "-"),
                access="white-box",
                settings={"steps": 10},
                seconds=1.5,
                leakage={"ssim": values},
            )
            for attack, values in leakage.items()
        ],
    )


def sound(model, times=50, **changes):
    """The model as a full audit of so many times the images would record it."""
    attacks = [
        a.model_copy(
            update={
                "leakage": {"ssim": a.leakage["ssim"] * times},
                "auxiliary": {"ssim": fmean(a.leakage["ssim"])},
            }
        )
        for a in model.attacks
    ]
    floors = {"class-mean": {"ssim": model.floors["class-mean"]["ssim"] * times}}
    victims = len(floors["class-mean"]["ssim"])
    guess = GuessRecord(
        guess="class-ssim",
        leakage=floors["class-mean"],
        auxiliary={"ssim": floors["class-mean"]["ssim"][0]},
    )
    effort = Effort(thorough=True, victims=victims, budget=1.0, missing=[])
    update = {"attacks": attacks, "floors": floors, "guesses": [guess], "effort": effort}
    update |= {"chance": 0.2, **changes}
    return model.model_copy(update=update)


def report_on(*models):
    return Report(
        title="A <test> & more",
        environment=Environment(
            command="mixcon audit run",
            seed=3,
            machine="a machine",
            versions={"torch": "2.13.0"},
            started="2026-01-01T00:00:00+00:00",
        ),
        threat_model=["The attacker sees z."],
        models=list(models),
    )
