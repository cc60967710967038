"""The figures of `arus explore`, the way an analyst computes them with pandas."""
import sys

import pandas as pd

products, categories = pd.read_csv(sys.argv[1]), pd.read_csv(sys.argv[2])
report = {
    "shape": products.shape,
    "types": products.dtypes.astype(str).to_dict(),
    "missing": products.isna().sum().to_dict(),
    "duplicate_rows": int(products.duplicated().sum()),
    "duplicate_asin": int(products["asin"].duplicated().sum()),
    "statistics": products.describe().to_dict(),
    "distinct": products.nunique().to_dict(),
    "top": {column: products[column].value_counts().head(10).to_dict() for column in products.columns},
    "unmatched": int((~products["category_id"].isin(categories["id"])).sum()),
    "per_category": products.merge(categories, left_on="category_id", right_on="id")["category_name"].value_counts().to_dict(),
}
print(report["shape"], report["duplicate_rows"])
