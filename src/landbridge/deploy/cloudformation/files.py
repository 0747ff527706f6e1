"""Which files does a rendering consist of?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landbridge.deploy.cloudformation import stacks, values
from landbridge.deploy.cloudformation.handover import parameters_file, readme
from landbridge.deploy.cloudformation.request_sheet import sheet
from landbridge.deploy.cloudformation.terraform import main_tf
from landbridge.deploy.needs import needs
from landbridge.project import place

if TYPE_CHECKING:
    from landbridge.project import Declaration


def files(declaration: Declaration, environment: str) -> dict[str, str]:
    """Give every file of an environment: path below the folder, with `/`, and its text.

    Raises:
        KeyError: no such environment.
        DeclarationWrong: as `stacks`.
    """
    where = place(declaration.project, environment)
    aws = values.declared(declaration, environment)
    all_stacks = stacks(declaration, environment)
    return {
        "README.md": readme(
            all_stacks,
            project=where.project,
            environment=environment,
            account=aws.account,
            region=where.region,
        ),
        **{f"{stack.kind}.yaml": stack.template for stack in all_stacks},
        **{f"{stack.kind}.parameters.json": parameters_file(stack) for stack in all_stacks},
        "request-sheet.md": sheet(needs(declaration, environment), where, aws),
        "terraform/main.tf": main_tf(all_stacks, account=aws.account, region=where.region),
    }
