"""Sequence-level knowledge distillation (Kim & Rush 2016): a training set whose targets a trained model wrote.

What a model writes is more regular than what people wrote, and that is what writers that write all at once need most
(Gu et al. 2018; Zhou et al. 2020).
"""

from headway.lab.distillation.distilling import Distilled, distill

__all__ = ["Distilled", "distill"]
