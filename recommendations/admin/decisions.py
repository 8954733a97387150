"""What is asked before a version becomes champion or is rejected: what that does, and what speaks against it."""

from __future__ import annotations

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.artifacts import BundleError
from recommendations.admin.base import Question
from recommendations.admin.figures import number
from recommendations.models import ModelStatus, ModelVersion
from recommendations.services import store


def version_of(champion: ModelVersion | None) -> str:
    return "" if champion is None else champion.version


def rolls_back(model: ModelVersion, champion: ModelVersion | None) -> bool:
    """Whether making ``model`` champion is a rollback, because it has served before; else it is a promotion."""
    return model.activated is not None and (champion is None or champion.pk != model.pk)


def promotion(model: ModelVersion, champion: ModelVersion | None, back: str) -> Question:
    """What is asked before ``model`` takes the place of ``champion``."""
    names = {"version": model.version, "champion": version_of(champion)}
    if model.activated is not None and rolls_back(model, champion):
        title = _("Roll back to %(version)s?") % names
        button = _("Roll back")
        first = _("This is a rollback: %(version)s has been champion before (last since %(when)s).")
        consequences = [first % {**names, "when": date_format(model.activated, "DATETIME_FORMAT")}]
    else:
        title = _("Make %(version)s champion?") % names
        button = _("Make champion")
        consequences = [_("This is a promotion: %(version)s has not been champion before.") % names]
    if champion is not None:
        consequences += [
            _("It replaces %(champion)s, which is retired and can be made champion again.") % names,
            _("Plain NDCG@10 %(own)s, the champion's %(other)s; each as measured when it was trained.")
            % {"own": _ndcg(model), "other": _ndcg(champion)},
        ]
    seconds = max(1, round(settings.CHAMPION_CHECK_SECONDS))
    follows = ngettext(
        "All processes follow within about %(n)s second, without a restart; stored lists are scored again.",
        "All processes follow within about %(n)s seconds, without a restart; stored lists are scored again.",
        seconds,
    )
    consequences.append(follows % {"n": seconds})
    return Question(
        title=title,
        button=button,
        back=back,
        consequences=consequences,
        refused=why_not_champion(model),
        warnings=_against(model),
        hidden={"beside": version_of(champion)},
    )


def rejection(model: ModelVersion, back: str) -> Question:
    """What is asked before ``model`` is rejected."""
    refused = ""
    if model.status == ModelStatus.CHAMPION:
        refused = _("This is the champion. Make another version champion first.")
    elif model.status == ModelStatus.REJECTED:
        refused = _("This version is rejected already.")
    return Question(
        title=_("Reject %(version)s?") % {"version": model.version},
        button=_("Reject"),
        back=back,
        consequences=[
            _("The version is marked rejected. It does not serve now, so no list changes."),
            _("Its files may be deleted when room is needed. Until then it can still be made champion."),
            _("What the gate said of it stays with it."),
        ],
        refused=refused,
        destroys=True,
    )


def why_not_champion(model: ModelVersion) -> str:
    """Why ``model`` cannot serve; empty if it can. The store is asked whether the bundle is whole."""
    if model.status == ModelStatus.CHAMPION:
        return _("This version is the champion already.")
    if model.pruned is not None:
        words = _("The files of this version were deleted on %(when)s. Publish the bundle again to make it champion.")
        return words % {"when": date_format(model.pruned, "DATE_FORMAT")}
    if model.status == ModelStatus.BROKEN:
        return _("This version is broken and cannot serve. Publish a whole bundle, or choose another version.")
    try:
        store.check(model.location)
    except store.StoreError as error:
        return _("The model store does not answer, so the bundle cannot be looked at: %(why)s") % {"why": error}
    except BundleError as error:
        return _("The bundle in the store is damaged, and no process could load it: %(why)s") % {"why": error}
    return ""


def _against(model: ModelVersion) -> list[str]:
    if model.status == ModelStatus.REJECTED:
        return [_("This version was rejected. %(verdict)s") % {"verdict": model.verdict}]
    if not model.judged and model.activated is None:
        return [_("The gate has not judged this version: nobody knows whether it is worse than the champion.")]
    return []


def _ndcg(model: ModelVersion) -> str:
    return number(model.metrics.get("plain_ndcg@10")) or _("unknown")
