"""The digits arena: small classifiers on fixed images. Import `arena` for the port; `trial` needs scikit-learn."""
