"""The import contract of the look-ahead guard; it also names modules still to be written."""

from grimp import ImportGraph
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.domain.contract import ContractCheck
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class ReachContract(ForbiddenContract):
    """A forbidden contract that passes over modules that do not exist yet."""

    type_name = "reach"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        for field in ("source_modules", "forbidden_modules"):
            setattr(self, field, _existing(graph, getattr(self, field)))
        return super().check(graph, verbose)


def _existing(graph: ImportGraph, expressions: set[ModuleExpression]) -> set[ModuleExpression]:
    return {
        expression
        for expression in expressions
        if any(
            module.name in graph.modules
            for module in module_expressions_to_modules(graph, [expression])
        )
    }
