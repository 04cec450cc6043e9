"""The parts of VTK that are used here, and no other: `import vtk` loads all 150 of its libraries, 0.4 s of a start."""

from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkInformation, vtkLogger, vtkObject, vtkPoints, vtkUnsignedCharArray
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkDataObject, vtkImageData, vtkPolyData
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkFiltersSources import vtkPlaneSource
from vtkmodules.vtkInteractionStyle import vtkInteractorStyleUser
from vtkmodules.vtkInteractionWidgets import vtkSliderRepresentation2D, vtkSliderWidget
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkActor2D,
    vtkPolyDataMapper,
    vtkPolyDataMapper2D,
    vtkRenderer,
    vtkRenderWindow,
    vtkRenderWindowInteractor,
    vtkTextActor,
    vtkTexture,
)
from vtkmodules.vtkRenderingOpenGL2 import vtkOpenGLActor

__all__ = [
    "numpy_to_vtk", "vtkActor", "vtkActor2D", "vtkCellArray", "vtkDataObject", "vtkImageData", "vtkInformation",
    "vtkInteractorStyleUser", "vtkLogger", "vtkMatrix4x4", "vtkObject", "vtkOpenGLActor", "vtkPlaneSource", "vtkPoints",
    "vtkPolyData", "vtkPolyDataMapper", "vtkPolyDataMapper2D",
    "vtkRenderWindow", "vtkRenderWindowInteractor", "vtkRenderer", "vtkSliderRepresentation2D", "vtkSliderWidget",
    "vtkTextActor", "vtkTexture", "vtkUnsignedCharArray", "vtk_to_numpy",
]  # fmt: skip
