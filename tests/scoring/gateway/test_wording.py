from feature_repo.model_matrix import MODEL_FEATURES
from scoring.gateway.wording import SENTENCES, Group, group_of


def test_every_model_feature_belongs_to_a_group() -> None:
    """No feature of the model is left without a group for the explanation."""
    assert {group_of(name) for name in MODEL_FEATURES} <= set(Group)


def test_every_sentence_is_about_a_feature_of_the_model() -> None:
    """A sentence for a feature that the model does not have would never be said."""
    assert set(SENTENCES) <= set(MODEL_FEATURES)


def test_every_sentence_reads_without_a_number_out_of_place() -> None:
    """Each sentence can be said of ordinary values, and says more than its feature's name."""
    for name, sentence in SENTENCES.items():
        text = sentence(name, dict.fromkeys(MODEL_FEATURES, 1.0))
        assert text
        assert "__" not in text


def test_declines_are_told_with_the_offers() -> None:
    """Offers and answers read as one sentence: how many of how many."""
    values = {
        "provider_availability__declines_1h": 3.0,
        "provider_availability__offers_1h": 4.0,
    }
    name = "provider_availability__declines_1h"
    assert SENTENCES[name](name, values) == "declined 3 of 4 offers in the last hour"
