"""An Airflow DAG that runs Review Insights every night: copy it into the folder of DAGs.

The command does everything and says by its exit code what happened: 0, 1 (a regression, or a model that failed) or 2 (bad input). A task
that is tried again goes on from where the last one stopped; two that overlap do no harm, since one writer holds the warehouse.
"""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    "review_insights_nightly",
    schedule="0 3 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=10)},
):
    BashOperator(
        task_id="nightly",
        bash_command="review-insights nightly --reviews /srv/reviews --warehouse /srv/insights.duckdb --out /srv/exports --json",
    )
