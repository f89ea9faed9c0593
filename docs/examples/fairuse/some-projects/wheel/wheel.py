"""Turn a wheel."""


def turn(wheel, steps):
    """Turn a wheel by steps and count full turns."""
    place = 0
    turns = 0
    for step in range(steps):
        place += wheel.teeth[step % len(wheel.teeth)]
        if place >= wheel.size:
            place -= wheel.size
            turns += 1
        elif place < 0:
            raise ValueError(f"the wheel slipped at step {step}")
    return turns, place
