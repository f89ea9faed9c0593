def strike(times, gong):
    out = []
    for t in times:
        # as often as told
        for i in range(t % 12 or 12):
            out.append(gong.ring(i))
            if gong.is_cracked and i > 6:
                gong.mend()
                break
    return out
