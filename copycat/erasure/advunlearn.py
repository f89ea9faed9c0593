"""AdvUnlearn (arXiv 2405.15234): trains the text encoder against an attacker that searches token embeddings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from copycat.erasure.advunlearn_settings import PRESETS, AdvUnlearnSettings
from copycat.erasure.bank import Pairs, RolloutRules, Rollouts, Source, Subject, fill_bank, weights_sha256
from copycat.erasure.concepts import check_text
from copycat.erasure.eraser import Concept
from copycat.erasure.optimiser import flat_state, load_flat_state
from copycat.erasure.prefix_attack import AttackedPrompt, search
from copycat.erasure.retain import retain_prompts
from copycat.errors import UnsupportedError
from copycat.live import LivePipeline, Texts, step_generator
from copycat.schema import Record

_LAYER = re.compile(r"(?:^|\.)encoder\.layers\.(\d+)\.")
_PARTS = {"all": "", "ffn": ".mlp.", "attn": ".self_attn."}


class AdvUnlearn:
    """Two levels: an attacker searches a prompt c* that brings the concept back, the encoder learns to resist it.

        attack   c* = argmin ||eps(x_t, c') - eps_0(x_t, c)||^2
        erase    ||eps(x_t, c*) - (eps_0(x_t, null) - eta (eps_0(x_t, c) - eps_0(x_t, null)))||^2
        retain   + gamma mean over c~ of ||eps(x_t, c~) - eps_0(x_t, c~)||^2

    eps is the denoiser, which stays as it is, under the edited text encoder; eps_0 under the original one; squares
    are means over a prediction's numbers. Source: arXiv 2405.15234, equations 2 to 6. Each retain prompt has a
    timestep of its own, where the published code gives all of a step the concept's: the same in expectation.

    Raises:
        UserError: a concept without tokens, or longer than an encoder reads with its prefix; a retain prompt likewise.
    """

    SETTINGS: ClassVar[type[Record]] = AdvUnlearnSettings
    PRESETS: ClassVar[Mapping[str, Mapping[str, Any]]] = PRESETS

    def __init__(self, live: LivePipeline, concepts: tuple[Concept, ...], settings: Record, seed: int) -> None:
        import torch

        self.live, self.seed = live, seed
        self.settings = rules = cast(AdvUnlearnSettings, settings)
        self.n_steps = rules.steps
        self.prompts = [AttackedPrompt(live, concept.name, rules) for concept in concepts]
        self._null = self._original([""])
        self._subjects = [
            Subject(f"concept-{place}", (concept.name,), self._original([concept.name]), max(1, rules.bank))
            for place, concept in enumerate(concepts)
        ]
        kept = retain_prompts(rules.retain, concepts, live.name)
        for prompt in kept:
            check_text(live, "retain prompt", prompt)
        self._retained = [Subject("retain", kept, self._original(kept), rules.bank_retain)]
        if rules.retain_null:
            share = -(-rules.bank_retain // rules.retain_batch)
            self._retained.append(Subject("null", ("",), self._null, share))
        self._weights = weights_sha256(live) if rules.bank else ""
        self.source: Source = Rollouts(live, self._null, self._rollout_rules(), seed)
        for encoder in live.encoders:
            encoder.float()  # steps of 1e-5 are lost in half precision
        self._edited = dict(edited_parameters(live, rules))
        for parameter in self._edited.values():
            parameter.requires_grad_(True)
        self._optimiser = torch.optim.Adam(list(self._edited.values()), lr=rules.lr)
        self._found: dict[int, list[Any]] = {}

    def edited(self) -> dict[str, Any]:
        """Give the text encoder's parameters that change; token and position embeddings are never among them."""
        return dict(self._edited)

    def prepare(self, folder: Path, progress: Callable[[str, int], Any]) -> None:
        """Fill the bank in `folder`, or read it; without one nothing is prepared.

        Raises:
            DataError: the folder holds a bank from other settings.
        """
        rules = self.settings
        if not rules.bank:
            return
        rollouts = Rollouts(self.live, self._null, self._rollout_rules(), self.seed)
        subjects = [*self._subjects, *self._retained]
        self.source = fill_bank(
            folder,
            rollouts,
            subjects,
            progress,
            weights=self._weights,
            dtype=rules.bank_dtype,
            batch=rules.bank_batch,
        )

    def step(self, number: int) -> dict[str, float]:
        """Attack, then train the encoder once against what was found; the first steps train on the plain concept."""
        import torch

        rules = self.settings
        generator = step_generator(self.seed, "concept", number)
        concept = int(torch.randint(len(self.prompts), (1,), generator=generator))
        losses: dict[str, float] = {}
        free = None
        if number >= rules.warm_up:
            free, losses["attack"] = self._attack(number, concept)
        return losses | self._train(number, concept, free)

    def state(self) -> dict[str, Any]:
        """Give Adam's moments, and the last prefixes where the next search begins with them."""
        found = flat_state(self._optimiser)
        for concept, vectors in self._found.items():
            found |= {f"found.{concept}.{place}": one for place, one in enumerate(vectors)}
        return found

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` gave."""
        load_flat_state(self._optimiser, state)
        for concept in range(len(self.prompts)):
            keys = sorted(key for key in state if key.startswith(f"found.{concept}."))
            if keys:
                self._found[concept] = [state[key].to(self.live.device) for key in keys]

    # ------------------------------------------------------------------ attack

    def _attack(self, number: int, concept: int) -> tuple[list[Any], float]:
        """Search free embeddings against the encoder as it is; give them with the last loss."""
        rules, prompt = self.settings, self.prompts[concept]
        seen: list[float] = []

        def loss_of(free: Sequence[Any], attack_step: int) -> Any:
            pairs = self._pairs(concept, number, attack_step)
            loss = self._error(pairs, prompt.encode(free).repeated(len(pairs.t)), pairs.under)
            seen.append(float(loss.detach()))
            return loss

        generator = step_generator(self.seed, "attack", number)
        start = prompt.start(generator)
        if rules.prefix_init == "latest":
            start = self._found.get(concept, start)
        found = search(start, loss_of, rules, generator)
        if rules.prefix_init == "latest":
            self._found[concept] = found
        return found, seen[-1]

    def _pairs(self, concept: int, number: int, attack_step: int) -> Pairs:
        """Give the pairs of an attack step, or, after the last one, of the encoder's step."""
        rules = self.settings
        searched = 1 if rules.fast and rules.one_step_fast else rules.attack_steps
        size = rules.erase_batch if attack_step < 0 else rules.attack_batch
        first = number * (searched * rules.attack_batch + rules.erase_batch)
        first += searched * rules.attack_batch if attack_step < 0 else attack_step * size
        return self.source.draw(self._subjects[concept], range(first, first + size))

    # ------------------------------------------------------------------ training

    def _train(self, number: int, concept: int, free: Sequence[Any] | None) -> dict[str, float]:
        """Take a step on both losses together, or one on each."""
        rules = self.settings
        erase = self._erase_loss(number, concept, free)
        if not rules.gamma:
            self._update(erase)
            return {"erase": float(erase.detach())}
        if rules.retain_mode == "iter":
            self._update(erase)
        retain = self._retain_loss(number)
        self._update(rules.gamma * retain + (erase if rules.retain_mode == "reg" else 0))
        return {"erase": float(erase.detach()), "retain": float(retain.detach())}

    def _erase_loss(self, number: int, concept: int, free: Sequence[Any] | None) -> Any:
        pairs, prompts = self._pairs(concept, number, -1), self._subjects[concept].prompts
        texts = self.live.encode(prompts) if free is None else self.prompts[concept].encode(free)
        target = pairs.without - self.settings.eta * (pairs.under - pairs.without)
        return self._error(pairs, texts.repeated(len(pairs.t)), target)

    def _retain_loss(self, number: int) -> Any:
        """Give the mean over the retain prompts of a step, the empty prompt one of them."""
        size = self.settings.retain_batch
        drawn = [self.source.draw(self._retained[0], range(number * size, (number + 1) * size))]
        if self.settings.retain_null:
            drawn.append(self.source.draw(self._retained[1], [number]))
        prompts = [s.prompts[row] for s, pairs in zip(self._retained, drawn, strict=False) for row in pairs.rows]
        pairs = Pairs.joined(drawn)
        return self._error(pairs, self.live.encode(prompts), pairs.under)

    def _error(self, pairs: Pairs, texts: Texts, target: Any) -> Any:
        import torch

        texts = Texts(*(None if part is None else part.to(self.live.unet.dtype) for part in texts))
        predicted = self.live.predict(pairs.x, pairs.t, texts)
        return torch.nn.functional.mse_loss(predicted.float(), target.float())

    def _update(self, loss: Any) -> None:
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()

    # ------------------------------------------------------------------ private

    def _original(self, prompts: Sequence[str]) -> Texts:
        """Encode by the text encoder as it is now, before anything is trained."""
        import torch

        with torch.no_grad():
            return self.live.encode(prompts)

    def _rollout_rules(self) -> RolloutRules:
        rules = self.settings
        return RolloutRules(
            rollout_steps=rules.rollout_steps,
            guidance=rules.guidance,
            exact_timesteps=rules.exact_timesteps,
            per_rollout=rules.per_rollout if rules.bank else 1,
        )


def edited_parameters(live: LivePipeline, settings: AdvUnlearnSettings) -> Iterator[tuple[str, Any]]:
    """Give the parameters of the text encoders that the settings choose, by 'component.parameter'.

    Raises:
        UnsupportedError: an encoder has fewer layers.
    """
    for component, encoder in zip(live.encoder_names, live.encoders, strict=True):
        layers = int(encoder.config.num_hidden_layers)
        if settings.layers != "all" and settings.layers > layers:
            raise UnsupportedError(f"{component} of '{live.name}' has {layers} layers, not {settings.layers}")
        for name, parameter in encoder.named_parameters():
            if _is_chosen(name, settings) and _PARTS[settings.component] in name:
                yield f"{component}.{name}", parameter


def _is_chosen(name: str, settings: AdvUnlearnSettings) -> bool:
    layer = _LAYER.search(name)
    if settings.layers == "all":
        return layer is not None or "final_layer_norm" in name
    if layer is None:
        return False
    if settings.layer_match == "startswith":
        return layer[1].startswith(tuple(map(str, range(settings.layers))))
    return int(layer[1]) < settings.layers
