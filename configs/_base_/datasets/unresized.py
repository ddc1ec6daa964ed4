# Pipelines for images as they are: what TIN sees, and what boxes of a detection file belong to.
unresized_train = [
    dict(type="LoadHOIImage"),
    dict(type="LoadHOIAnnotations", with_bbox=True),
    dict(type="PackHOIInputs"),
]
unresized_test = [dict(type="LoadHOIImage"), dict(type="PackHOIInputs")]
