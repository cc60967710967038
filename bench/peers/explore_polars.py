"""The figures of `arus explore`, the way an analyst computes them with polars."""
import sys

import polars as pl

products, categories = pl.read_csv(sys.argv[1]), pl.read_csv(sys.argv[2])
report = {
    "shape": products.shape,
    "types": products.schema,
    "missing": products.null_count(),
    "duplicate_rows": products.height - products.unique().height,
    "duplicate_asin": products.height - products["asin"].n_unique(),
    "statistics": products.describe(),
    "distinct": {column: products[column].n_unique() for column in products.columns},
    "top": {column: products[column].value_counts(sort=True).head(10) for column in products.columns},
    "unmatched": products.join(categories, left_on="category_id", right_on="id", how="anti").height,
    "per_category": products.join(categories, left_on="category_id", right_on="id")["category_name"].value_counts(),
}
print(report["shape"], report["duplicate_rows"])
